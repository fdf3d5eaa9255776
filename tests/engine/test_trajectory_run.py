"""Trajectories: records and when they come, what is recorded of each step, and noise."""

import numpy as np
import pytest
import torch
from torch import optim

from nnviz.engine import randomness
from nnviz.engine.trajectories import surfaces
from nnviz.engine.trajectories.trajectory_run import FIRST_SNAPSHOT, TrajectoryRun
from nnviz.records import Scalar, Snapshot
from nnviz.spec.clipping import ClipNorm, ClipValue
from nnviz.spec.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
)
from nnviz.spec.point_optimizers import CMAES, LBFGS, STATE, Genetic, Newton
from nnviz.spec.schedules import OneCycle
from nnviz.spec.surfaces import Himmelblau, Rastrigin, Ravine, Saddle
from tests.engine.short_runs import as_bytes
from tests.engine.trajectory_jobs import ALL, TWELVE, WITH_RPROP, all_records, job, last, trajectories

EVERYTHING = {"noise": 0.3, "clipping": ClipNorm(max_norm=5), "schedule": OneCycle(), "seed": 3}


# -- independence ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["plain", "everything"])
def test_the_trajectory_of_an_optimizer_does_not_depend_on_the_others(changes):
    methods = ALL if changes else WITH_RPROP
    together = [trajectories(job(Himmelblau(), some, steps=40, **changes)) for some in (methods[:12], methods[12:])]
    points = np.concatenate([arrays["points"] for arrays in together])
    for method, path in zip(methods, points, strict=True):
        assert np.isfinite(path).all()
        alone = trajectories(job(Himmelblau(), [method], steps=40, **changes))
        assert np.array_equal(path, alone["points"][0]), method.kind


def test_the_same_job_gives_the_same_bytes():
    chosen = job(Rastrigin(), TWELVE, steps=40, grid=4, **EVERYTHING)
    first = as_bytes(all_records(TrajectoryRun(chosen)))
    torch.manual_seed(99)
    assert as_bytes(all_records(TrajectoryRun(chosen))) == first
    other = chosen.model_copy(update={"seed": 4})
    assert as_bytes(all_records(TrajectoryRun(other))) != first


# -- what is all_records, and when
# -------------------------------------------------------------------------------------------


def test_snapshots_come_first_then_after_twice_as_many_steps_and_at_the_end():
    steps = 2 * FIRST_SNAPSHOT + 30
    records = all_records(TrajectoryRun(job(Ravine(), [SGD(), Adam()], steps=steps)))
    snapshots = [(r.step, r.quantity) for r in records if isinstance(r, Snapshot)]
    assert snapshots == [(0, "surface"), *((n, "trajectories") for n in (0, FIRST_SNAPSHOT, 2 * FIRST_SNAPSHOT, steps))]
    numbers = [(r.step, r.quantity, r.site, r.member) for r in records if isinstance(r, Scalar) and r.step == steps]
    assert sorted(numbers) == [(steps, quantity, str(i + 1), i) for quantity in ("distance", "value") for i in range(2)]


def test_evaluate_now_does_not_change_when_snapshots_come():
    trajectory_run = TrajectoryRun(job(Ravine(), [SGD()], steps=2 * FIRST_SNAPSHOT + 1))
    records = []
    for _ in range(300):
        records += next(trajectory_run)
    trajectory_run.evaluate_now()
    records += all_records(trajectory_run)
    steps = [r.step for r in records if r.quantity == "trajectories"]
    assert steps == [0, FIRST_SNAPSHOT, 2 * FIRST_SNAPSHOT, 2 * FIRST_SNAPSHOT + 1]


def test_evaluate_now_returns_the_current_step_once():
    trajectory_run = TrajectoryRun(job(Ravine(), [SGD()], steps=20, grid=2))
    assert [r.quantity for r in trajectory_run.evaluate_now()][:2] == ["surface", "trajectories"]
    assert trajectory_run.evaluate_now() == []
    for _ in range(7):
        assert next(trajectory_run) == []
    records = trajectory_run.evaluate_now()
    assert {r.step for r in records} == {7}
    assert last(records, "trajectories")["points"].shape == (1, 8, 2)
    assert trajectory_run.evaluate_now() == []


def test_evaluate_now_does_not_change_the_trajectories():
    chosen = job(Himmelblau(), TWELVE[:9], steps=30, **EVERYTHING)
    watched = TrajectoryRun(chosen)
    for _ in range(29):
        next(watched)
        watched.evaluate_now()
    assert as_bytes(all_records(watched)) == as_bytes([r for r in all_records(TrajectoryRun(chosen)) if r.step == 30])


def test_values_and_distances_are_those_of_the_points():
    arrays = trajectories(job(Himmelblau(), [SGD(lr=0.01), Newton(), CMAES()], steps=15))
    x, y = arrays["points"].transpose(2, 0, 1)
    assert arrays["points"].shape == (3, 16, 2)
    assert arrays["values"] == pytest.approx((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2, rel=1e-13)
    minima = np.array([(3, 2), (-2.805118087, 3.131312518), (-3.779310253, -3.283185991), (3.584428340, -1.848126527)])
    nearest = np.linalg.norm(arrays["points"][:, :, None] - minima, axis=-1).min(-1)
    assert arrays["distance"] == pytest.approx(nearest, abs=1e-8)


def test_where_there_is_no_minimum_there_is_no_distance():
    arrays = trajectories(job(Saddle(bounded=False), [SGD()], steps=5))
    assert np.isnan(arrays["distance"]).all()
    assert np.isfinite(arrays["values"]).all()


# -- what is recorded of a step ---------------------------------------------------------------------------------------

WITH_STATE = {
    "sgd": (SGD(lr=0.01, momentum=0.9), lambda p: optim.SGD(p, 0.01, 0.9), {"momentum": "momentum_buffer"}),
    "adagrad": (Adagrad(), lambda p: optim.Adagrad(p, 0.05), {"second_moment": "sum"}),
    "rmsprop": (
        RMSprop(momentum=0.5),
        lambda p: optim.RMSprop(p, 0.01, momentum=0.5),
        {"momentum": "momentum_buffer", "second_moment": "square_avg"},
    ),
    "adadelta": (Adadelta(), lambda p: optim.Adadelta(p, 1.0), {"second_moment": "square_avg"}),
    "adam": (Adam(lr=0.1), lambda p: optim.Adam(p, 0.1), {"momentum": "exp_avg", "second_moment": "exp_avg_sq"}),
    "adamw": (
        AdamW(amsgrad=True),
        lambda p: optim.AdamW(p, 0.01, amsgrad=True),
        {"momentum": "exp_avg", "second_moment": "exp_avg_sq"},
    ),
    "nadam": (NAdam(), lambda p: optim.NAdam(p, 0.01), {"momentum": "exp_avg", "second_moment": "exp_avg_sq"}),
    "radam": (
        RAdam(lr=0.001),
        lambda p: optim.RAdam(p, 0.001),
        {"momentum": "exp_avg", "second_moment": "exp_avg_sq"},
    ),
    "adamax": (Adamax(), lambda p: optim.Adamax(p, 0.01), {"momentum": "exp_avg", "second_moment": "exp_inf"}),
    "rprop": (Rprop(), lambda p: optim.Rprop(p, 0.01), {"step_size": "step_size"}),
    "plain": (SGD(lr=0.01), lambda p: optim.SGD(p, 0.01), {}),
}
PARTS = {"gradient", "momentum", "second_moment", "step_size"}


def test_recorded_parts_are_those_of_the_optimizer_after_that_step_and_of_the_gradient_it_was_given():
    clipping, noise, seed, steps = ClipValue(limit=9), 0.5, 5, 30
    chosen = job(
        Himmelblau(), [m for m, _, _ in WITH_STATE.values()], steps=steps, clipping=clipping, noise=noise, seed=seed
    )
    arrays = trajectories(chosen)
    for i, (method, build, names) in enumerate(WITH_STATE.values()):
        w = torch.tensor([Himmelblau.start], dtype=torch.float64)
        optimizer = build([w])
        generator = randomness.generator(seed, "noise")
        for step in range(steps):
            assert np.array_equal(arrays["points"][i, step], w[0].numpy()), method.kind
            w.grad = surfaces.value_and_gradient(Himmelblau(), w)[1]
            w.grad = w.grad + noise * torch.randn(1, 2, dtype=torch.float64, generator=generator)
            w.grad = w.grad.clamp(-9, 9)
            optimizer.step()
            assert np.array_equal(arrays["gradient"][i, step], w.grad[0].float().numpy())
            for part in PARTS - {"gradient"}:
                kept = optimizer.state[w][names[part]][0].float().numpy() if part in names else [np.nan, np.nan]
                assert np.array_equal(arrays[part][i, step], kept, equal_nan=True), (method.kind, part, step)


def test_the_words_for_the_state_of_a_method_are_right():
    """Of a gradient g: sums, means and maxima written out by hand."""
    methods = [
        Adagrad(),
        Adadelta(rho=0.8),
        RMSprop(alpha=0.8, momentum=0.5),
        Adam(),
        Adamax(),
        SGD(lr=0.001, momentum=0.9),
    ]
    arrays = trajectories(job(Himmelblau(), methods, steps=20))
    expected = {
        "√Σg²": lambda g: np.sqrt(np.cumsum(g**2, 0)),
        "√mean of g²": lambda g: np.sqrt(running(g**2, 0.8)),
        "√mean of g² (√v)": lambda g: np.sqrt(running(g**2, 0.8)),
        "momentum of g/√v": lambda g: running(g / np.sqrt(running(g**2, 0.8)), 0.5) / 0.5,
        "first moment m": lambda g: running(g, 0.9),
        "√second moment v": lambda g: np.sqrt(running(g**2, 0.999)),
        "largest gradient u": lambda g: np.array(
            [max(abs(g[: t + 1]) * 0.999 ** np.arange(t, -1, -1)) for t in range(20)]
        ),
        "momentum v": lambda g: running(g, 0.9) / 0.1,
    }
    for i, (method, gradient) in enumerate(zip(methods, arrays["gradient"].astype(float)[:, :, 0], strict=True)):
        for part, words in STATE[type(method)].items():
            recorded = arrays[part][i, :, 0]
            shown = np.sqrt(recorded) if words.startswith("√") else recorded
            assert shown == pytest.approx(expected[words](gradient), rel=1e-4), words
    for method, _, names in WITH_STATE.values():
        assert set(names) <= set(STATE.get(type(method), {})), method


def running(values: np.ndarray, beta: float) -> np.ndarray:
    """The exponential running mean that begins at 0."""
    return np.array([(1 - beta) * sum(beta ** (t - s) * values[s] for s in range(t + 1)) for t in range(len(values))])


def test_what_is_corrected_for_bias_makes_the_step_that_was_taken():
    methods = [Adam(lr=0.1, eps=0.0), AdamW(lr=0.1, weight_decay=0.0, eps=0.0), Adam(amsgrad=True), SGD(lr=0.01)]
    arrays = trajectories(job(Himmelblau(), methods, steps=30))
    for i in (0, 1):
        m, v = arrays["momentum_corrected"][i], arrays["second_moment_corrected"][i]
        step = np.diff(arrays["points"][i], axis=0)
        assert step == pytest.approx(-0.1 * m / np.sqrt(v), rel=1e-5)
        assert m[0] == pytest.approx(arrays["gradient"][i, 0], rel=1e-6)
        assert v[0] == pytest.approx(np.square(arrays["gradient"][i, 0]), rel=1e-5)
    assert np.isnan(arrays["momentum_corrected"][2:]).all()
    assert np.isnan(arrays["second_moment_corrected"][2:]).all()


def test_methods_without_a_part_have_nan_there_and_a_part_that_no_method_has_is_not_recorded():
    arrays = trajectories(job(Himmelblau(), [CMAES(), SGD(lr=0.01), Newton(), LBFGS(lr=0.1), Adam()], steps=8))
    assert PARTS & set(arrays) == {"gradient", "momentum", "second_moment"}
    assert np.isnan(arrays["gradient"][0]).all()
    assert np.isnan(arrays["momentum"][:4]).all()
    points = torch.tensor(arrays["points"][:, :-1])
    for i in range(1, 5):
        expected = surfaces.value_and_gradient(Himmelblau(), points[i])[1].float().numpy()
        assert np.array_equal(arrays["gradient"][i], expected)
    assert PARTS & set(trajectories(job(Ravine(), [CMAES(), Genetic()], steps=3))) == set()


# -- noise ------------------------------------------------------------------------------------------------------------


def test_noise_is_the_same_for_all_optimizers_and_normal_around_zero():
    sigma, steps = 0.7, 4000
    slow = [SGD(lr=1e-9), SGD(lr=2e-9), Adam(lr=1e-9)]
    arrays = trajectories(job(Ravine(), slow, steps=steps, noise=sigma, seed=1))
    points = torch.tensor(arrays["points"][:, :-1]).reshape(-1, 2)
    exact = surfaces.value_and_gradient(Ravine(), points)[1].reshape(3, steps, 2).numpy()
    noise = arrays["gradient"] - exact
    assert noise[1:] == pytest.approx(noise[[0, 0]], abs=1e-6)
    drawn = noise[0] / sigma
    # Five standard errors of a mean, a deviation, a correlation and a fourth moment of so many numbers.
    assert np.abs(drawn.mean(0)).max() < 5 / steps**0.5
    assert np.abs(drawn.std(0) - 1).max() < 5 / (2 * steps) ** 0.5
    assert abs((drawn[:, 0] * drawn[:, 1]).mean()) < 5 / steps**0.5
    assert np.abs((drawn[1:] * drawn[:-1]).mean(0)).max() < 5 / steps**0.5
    assert np.abs((drawn**4).mean(0) - 3).max() < 5 * (96 / steps) ** 0.5


def test_noise_is_that_of_the_seed():
    def gradients(seed: int, *methods: SGD | Adam) -> np.ndarray:
        return trajectories(job(Ravine(), methods, steps=20, noise=1, seed=seed))["gradient"]

    assert np.array_equal(gradients(1, SGD()), gradients(1, SGD(), Adam())[:1])
    assert not np.array_equal(gradients(1, SGD()), gradients(2, SGD()))


def test_noise_does_not_affect_methods_that_evaluate_the_surface_themselves():
    methods = [LBFGS(lr=0.1), Newton(lr=0.1), CMAES()]
    quiet, noisy = (trajectories(job(Himmelblau(), methods, steps=10, noise=noise))["points"] for noise in (0, 2))
    assert np.array_equal(quiet, noisy)
