import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from nnviz.runs import Store
from nnviz.spec.base import replace_at
from nnviz.spec.jobs import Training
from tests.runs.fake_engine import wait_for

FAKE = "tests.runs.fake_worker"
LONG = Training(steps=1_000_000)


class Worker:
    """A worker process spoken to by hand."""

    def __init__(self, module: str) -> None:
        command = [sys.executable, "-m", module]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self) -> dict:
        return json.loads(self.process.stdout.readline())

    def send(self, *paths: object, grace: float | None = None) -> None:
        order = {"runs": [str(p) for p in paths], "grace": grace, "is_preview": False}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.wait(5)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(FAKE)
    yield made
    made.close()


def test_a_worker_says_that_it_is_ready_then_every_state_and_ends_with_its_stdin(worker, store):
    assert worker.read() == {"ready": worker.process.pid}
    file, short = store.create(LONG), store.create(Training(steps=50))
    worker.send(short.path)
    states = ("queued", "running", "finished")
    assert [worker.read() for _ in states] == [{"run": short.id, "state": state} for state in states]
    worker.send(file.path)
    assert [worker.read() for _ in "12"] == [{"run": file.id, "state": state} for state in states[:2]]
    worker.process.stdin.close()
    assert worker.read() == {"run": file.id, "state": "stopped"}
    assert worker.process.wait(5) == 0
    status = file.status()
    assert (status.state, status.error) == ("stopped", "stopped: the app was closed")
    assert file.checkpoint()[0] == status.step > 0


def test_an_idle_worker_ends_with_its_stdin(worker):
    worker.read()
    worker.process.stdin.close()
    assert worker.process.wait(5) == 0


def test_a_worker_that_is_asked_to_terminate_stops_its_runs_and_one_interrupted_does_not(worker, store):
    worker.read()
    file = store.create(LONG)
    worker.send(file.path)
    assert [worker.read()["state"] for _ in "12"] == ["queued", "running"]
    worker.process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert file.status().state == "running"
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(5) == 0
    assert file.status().state == "stopped"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_a_worker_ends_when_its_parent_is_killed(store):
    file = store.create(LONG)
    parent = f"""
import json, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-m", {FAKE!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
worker.stdout.readline()
worker.stdin.write(json.dumps({{"runs": [{str(file.path)!r}], "grace": None, "is_preview": False}}) + chr(10))
worker.stdin.flush()
print(worker.pid, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(process.stdout.readline())
        wait_for(lambda: file.status().step > 0)
        process.kill()
        wait_for(lambda: file.status().state == "stopped")
        wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    finally:
        process.kill()
        process.communicate()


def test_a_paused_run_costs_next_to_nothing(worker, store):
    worker.read()
    file = store.create(LONG)
    file.set_until(5)
    worker.send(file.path)
    wait_for(lambda: file.status().state == "paused")
    process = psutil.Process(worker.process.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(1.5)
    assert sum(process.cpu_times()[:2]) - before < 0.1
    assert file.status().heartbeat > time.time() - 2.5


def test_what_libraries_print_does_not_get_between_the_lines():
    code = """
import sys
from tests.runs import fake_worker
from nnviz.runs.workers.worker import message_sender, serve
send = message_sender()
print("a library says hello")
import os; os.write(1, b"and so does a C library")
serve(fake_worker.engine, fake_worker.Diverged, send)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout)["ready"]
    assert "a library says hello" in done.stderr


@pytest.mark.slow
def test_the_real_worker_trains_pauses_resumes_and_equals_an_uninterrupted_run(tmp_path):
    store = Store(tmp_path)
    job = Training(steps=120)
    files = [store.create(job) for _ in range(2)]
    files[1].set_until(47)
    worker = Worker("nnviz.runs.workers.worker")
    try:
        assert worker.read() == {"ready": worker.process.pid}
        worker.send(files[0].path)
        worker.send(files[1].path)
        wait_for(lambda: files[0].status().state == "finished", 30)
        wait_for(lambda: files[1].status().state == "paused", 30)
        files[1].cancel()
        wait_for(lambda: files[1].status().state == "stopped")
        files[1].queue()
        worker.send(files[1].path)
        wait_for(lambda: files[1].status().state == "finished", 30)
        whole, resumed = (f.scalars()[0] for f in files)
        # the pause was a look at step 47, which measures everything there
        resumed = resumed[(resumed["step"] != 47) | (resumed["site"] == "batch")].reset_index(drop=True)
        whole = whole[(whole["step"] != 47) | (whole["site"] == "batch")].reset_index(drop=True)
        assert resumed.equals(whole)
        for quantity, site in files[0].places():
            theirs = dict(files[1].snapshots(quantity, site))
            for step, arrays in files[0].snapshots(quantity, site):
                assert all((arrays[k] == theirs[step][k]).all() for k in arrays)
        assert files[0].status().info["device"].startswith("c")
        assert os.path.getsize(files[0].path) < 20e6
    finally:
        worker.close()


@pytest.mark.slow
def test_a_real_run_that_diverges_says_where_and_goes_on_from_its_last_good_step(tmp_path):
    store = Store(tmp_path)
    job = Training(steps=200)
    job = replace_at(job, "learner.optimizer.lr", 10.0)
    job = replace_at(job, "learner.model.hidden", [{"width": 8, "activation": {"kind": "identity"}}] * 4)
    worker = Worker("nnviz.runs.workers.worker")
    try:
        worker.read()
        file = store.create(job)  # a run that waits long for a worker reads as lost
        worker.send(file.path)
        wait_for(lambda: not file.status().live, 30)
        status = file.status()
        assert status.state == "diverged"
        assert status.error.startswith("diverged at step")
        assert "first non-finite" in status.error
        saved, _ = file.checkpoint()
        assert saved <= status.step
        file.queue(until=saved)
        worker.send(file.path)
        wait_for(lambda: file.status().state == "paused", 30)
        batch = file.scalars()[0].query("quantity == 'loss' and site == 'batch'")
        assert batch["step"].tolist() == list(range(1, saved + 1))
    finally:
        worker.close()
