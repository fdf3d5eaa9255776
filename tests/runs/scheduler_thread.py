"""A scheduler that a test drives."""

import threading
from collections.abc import Callable

from nnviz.runs.workers.scheduler import Scheduler
from tests.runs.fake_engine import Diverged, Fake


class SchedulerThread:
    """A scheduler in a thread of its own, with what it has told."""

    def __init__(self, engine: Callable[..., Fake]) -> None:
        self.told: list[tuple[str, str]] = []
        self.released: list[list[str]] = []
        self.made: list[Fake] = []

        def make(*args: object, **kwargs: object) -> Fake:
            self.made.append(engine(*args, **kwargs))
            return self.made[-1]

        self.scheduler = Scheduler(
            make,
            Diverged,
            on_state=lambda *what: self.told.append(what),
            on_release=self.released.append,
            owner="test",
        )
        self.thread = threading.Thread(target=self.scheduler.loop)
        self.thread.start()

    def close(self) -> None:
        self.scheduler.close("stopped: the test is over")
        self.thread.join(10)
        assert not self.thread.is_alive()
