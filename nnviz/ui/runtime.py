"""What all sessions of the app share: the store of runs, the pool of workers, and which runs are watched."""

import gc
import threading
import time
from collections.abc import Iterable

import streamlit as st

from nnviz.runs import Pool, RunError, Store
from nnviz.runs.runset import RunSet, RunSetState

TOUCH_EVERY = 10.0
"""Seconds between two marks that a run is being watched; well below the grace that an unwatched run has."""


class Watching:
    """Which runs each open browser session has on its page.

    Timers in a background tab sleep for a minute and more, so that the page itself cannot say that it is still there;
    its session can, for as long as its connection lasts.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._runs: dict[int, frozenset[str]] = {}
        threading.Thread(target=self._touch, daemon=True).start()

    def set(self, session: int, runs: Iterable[str]) -> None:
        """The runs on this session's page from now on."""
        self._runs[session] = frozenset(runs)

    def leave(self, session: int) -> None:
        """The session has ended."""
        self._runs.pop(session, None)

    def _touch(self) -> None:
        while True:
            for run in frozenset().union(*list(self._runs.values())):
                try:
                    self._store.open(run).mark_viewed()
                except RunError:
                    continue
            time.sleep(TOUCH_EVERY)


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The store of runs."""
    return Store()


@st.cache_resource(show_spinner=False)
def pool() -> Pool:
    """The worker processes, one of them warm from the start."""
    started = Pool(store())
    # Everything imported so far stays for good; the collector need not look through it again and again.
    gc.freeze()
    return started


@st.cache_resource(show_spinner=False)
def watching() -> Watching:
    """Who watches what."""
    return Watching(store())


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda token: watching().leave(id(token)))
def _token() -> "_Token":
    return _Token()


class _Token:
    """Stands for a browser session; its end is the session's end."""


def watch(runs: Iterable[str]) -> None:
    """Says that this session's page shows these runs."""
    watching().set(id(_token()), runs)


def runset(state: RunSetState) -> RunSet:
    """The runs that a page shows."""
    return RunSet(store(), pool, state)
