"""Watch: hooks go on and come off, whatever happens; watching changes nothing."""

import copy
import gc

import pytest
import torch
from torch import nn
from torch.nn.modules import module as torch_modules

from nnviz.engine import learners, run
from nnviz.engine.activations import Step
from nnviz.engine.capture import Watch, probes
from nnviz.spec import probes as spec
from tests.engine.short_runs import job, scalars
from tests.spec.options import families

KINDS = {kind: cls for kind, cls in families()["probes"].items() if not issubclass(cls, spec.AtEvaluations)}
EVERY_STEP = [{"kind": kind, "every": 1} for kind in KINDS]


def hooks(module: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """How many hooks of any kind hang on the module, its parameters and its optimizer, or on all modules there are."""
    found = len(torch_modules._global_forward_hooks) + len(torch_modules._global_forward_pre_hooks)
    for part in module.modules():
        found += sum(len(value) for name, value in vars(part).items() if "hooks" in name and isinstance(value, dict))
    found += sum(len(p._backward_hooks or ()) for p in module.parameters())
    return found + sum(len(v) for name, v in vars(optimizer).items() if "hooks" in name and isinstance(v, dict))


def count(running) -> int:
    return hooks(running.learning.network, running.learning.optimizer)


def test_between_samples_only_the_two_optimizer_hooks_are_on():
    with run(job(probes=EVERY_STEP)) as running:
        bare = learners.build(running.job.learner, 0, 20, torch.device("cpu"))
        plain = hooks(bare.network, bare.optimizer)
        assert count(running) == plain + 2
        next(running)
        assert count(running) == plain + 2
    assert count(running) == plain


@pytest.mark.parametrize("steps", [0, 1, 7, 20], ids=lambda n: f"after {n} steps")
def test_close_takes_all_hooks_off(steps):
    bare = learners.build(job().learner, 0, 20, torch.device("cpu"))
    running = run(job(probes=EVERY_STEP))
    for _ in range(steps):
        next(running)
    running.close()
    running.close()
    assert count(running) == hooks(bare.network, bare.optimizer)


def test_a_finished_run_has_taken_its_hooks_off_by_itself():
    bare = learners.build(job().learner, 0, 20, torch.device("cpu"))
    running = run(job())
    list(running)
    assert count(running) == hooks(bare.network, bare.optimizer)


@pytest.mark.parametrize("where", ["forward", "loss", "optimizer"])
def test_hooks_come_off_when_a_step_fails(where, monkeypatch):
    bare = learners.build(job().learner, 0, 20, torch.device("cpu"))

    def fail(*_: object) -> None:
        raise MemoryError("no more")

    running = run(job(probes=EVERY_STEP))
    target, name = {
        "forward": (running.learning.network.output, "forward"),
        "loss": (running.learning, "loss"),
        "optimizer": (running.learning.optimizer, "step"),
    }[where]
    with running, monkeypatch.context() as broken:
        broken.setattr(target, name, fail)
        with pytest.raises(MemoryError, match="no more"):
            next(running)
    assert count(running) == hooks(bare.network, bare.optimizer)
    assert running.step == 0


def tensor_hooks() -> int:
    """Hooks on all live tensors."""
    gc.collect()
    return sum(len(t._backward_hooks) for t in gc.get_objects() if type(t) is torch.Tensor and t._backward_hooks)


def test_no_tensor_with_a_hook_outlives_its_step():
    before = tensor_hooks()
    with run(job(probes=EVERY_STEP)) as running:
        for _ in range(3):
            next(running)
        assert tensor_hooks() == before


class Branching(nn.Module):
    """What users write: layers in place, a layer used twice, one never used, and a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 4, 3, padding=1)
        self.shared = nn.Linear(8, 8)
        self.activation = nn.ReLU(inplace=True)
        self.unused = nn.Linear(3, 3)
        self.step = Step()
        self.head = nn.Linear(32, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.activation(self.shared(self.activation(self.shared(x))))
        return self.head(self.activation(self.convolution(h[:, None])).flatten(1))


def train(watched: bool, seed: int = 0) -> tuple[dict[str, torch.Tensor], list]:
    """Ten steps of Branching; its weights and the records of the probes."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = Branching()
    optimizer = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
    g = torch.Generator().manual_seed(seed)
    built = [probes.build(cls(every=2)) for cls in KINDS.values()] if watched else []
    watch = Watch({"model": module}, {"model": optimizer}, built)
    with watch:
        for number in range(1, 11):
            x = torch.randn(6, 8, generator=g)
            with watch.step(number):
                optimizer.zero_grad()
                (module(x) - x.sum(1, keepdim=True)).square().mean().backward()
                optimizer.step()
    assert hooks(module, optimizer) == 0
    return copy.deepcopy(module.state_dict()), watch.flush()


def test_watching_any_module_leaves_its_weights_to_the_bit():
    watched, alone = train(True)[0], train(False)[0]
    assert all(torch.equal(watched[name], alone[name]) for name in alone)


def test_any_module_can_be_watched():
    records = train(True)[1]
    assert {r.step for r in records} == {1, 2, 4, 6, 8, 10}
    sites = {r.site for r in records if r.quantity == "gradient_norm"}
    assert sites == {f"model.{name}" for name, _ in Branching().named_parameters()}
    unused = [r.value for r in records if r.quantity == "gradient_norm" and r.site == "model.unused.weight"]
    assert set(unused) == {0.0}


def test_parameters_that_are_frozen_are_not_watched():
    module = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    module[0].requires_grad_(False)
    optimizer = torch.optim.SGD(module[2].parameters(), 0.1)
    built = [probes.build(cls(every=1)) for cls in KINDS.values()]
    with Watch({"model": module}, {"model": optimizer}, built) as watch:
        with watch.step(1):
            module(torch.ones(3, 2)).sum().backward()
            optimizer.step()
        records = watch.flush()
    assert {r.site for r in records if r.quantity == "gradient_norm"} == {"model.2.weight", "model.2.bias"}
    assert {r.site for r in records if r.quantity == "signal_rms"} == {"model.2"}


def test_a_step_without_an_update_records_nothing():
    module = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    with Watch({"model": module}, {"model": optimizer}, [probes.build(spec.GradientNorms())]) as watch:
        with watch.step(1):
            module(torch.ones(1, 2)).sum().backward()
        assert watch.flush() == []
        with watch.step(2):
            optimizer.step()  # not a step that is due
        assert watch.flush() == []


class Add(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.add_(100)


def test_the_samples_of_a_layer_do_not_change_when_the_next_works_in_place():
    module = nn.Sequential(nn.Linear(3, 4), nn.GELU(), Add())
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    with Watch({"model": module}, {"model": optimizer}, [probes.build(spec.Activations())]) as watch:
        with watch.step(1):
            module(torch.ones(2, 3)).sum().backward()
            optimizer.step()
        assert scalars(watch.flush(), "activation_p95", "model.1")[1] < 10
