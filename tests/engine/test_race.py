"""A race: what it says and when, what is recorded of each step, noise, who leaves, and going on from a checkpoint."""

import numpy as np
import pytest
import torch
from torch import optim

from nnviz.engine import randomness, surfaces
from nnviz.engine.analysis import quadratic
from nnviz.engine.descent import exits
from nnviz.engine.descent.race import FAR, FIRST_PICTURE, LOOKED, Race
from nnviz.records import Scalar, Snapshot
from nnviz.spec.clipping import ClipNorm, ClipValue
from nnviz.spec.methods import ASGD, CMAES, LBFGS, STATE, Genetic, Newton, OnePlusOneES, OpenES, UncorrectedAdam
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
from nnviz.spec.schedules import OneCycle, StepDecay
from nnviz.spec.surfaces import Cliff, Formula, Himmelblau, Quadratic, Rastrigin, Ravine, Saddle
from tests.each import each
from tests.engine.racing import job, last, race, said
from tests.engine.running import as_bytes

TWELVE = [
    SGD(lr=0.002, momentum=0.9),
    Adagrad(),
    Adadelta(),
    RMSprop(momentum=0.5, centered=True),
    Adam(lr=0.1),
    UncorrectedAdam(),
    AdamW(),
    ASGD(lr=0.001),
    LBFGS(lr=0.1),
    Newton(absolute=True, lr=0.1),
    CMAES(),
    Genetic(),
]
ALL = [*TWELVE, NAdam(), RAdam(lr=0.001), Adamax(), OnePlusOneES(), OpenES(lr=0.001), SGD(lr=0.002)]
WITH_RPROP = [*ALL, Rprop()]
"""It takes no schedule."""
EVERYTHING = {"noise": 0.3, "clipping": ClipNorm(max_norm=5), "schedule": OneCycle(), "seed": 3}


# -- the same, whoever races beside -----------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["plain", "everything"])
def test_a_racer_goes_its_way_whoever_races_beside_it(changes):
    methods = ALL if changes else WITH_RPROP
    together = [race(job(Himmelblau(), some, steps=40, **changes)) for some in (methods[:12], methods[12:])]
    points = np.concatenate([arrays["points"] for arrays in together])
    for method, path in zip(methods, points, strict=True):
        assert np.isfinite(path).all()
        alone = race(job(Himmelblau(), [method], steps=40, **changes))
        assert np.array_equal(path, alone["points"][0]), method.kind


def test_the_same_job_gives_the_same_bytes():
    chosen = job(Rastrigin(), TWELVE, steps=40, grid=4, **EVERYTHING)
    first = as_bytes(said(Race(chosen)))
    torch.manual_seed(99)
    assert as_bytes(said(Race(chosen))) == first
    other = chosen.model_copy(update={"seed": 4})
    assert as_bytes(said(Race(other))) != first


# -- what is said, and when -------------------------------------------------------------------------------------------


def test_pictures_come_first_then_after_twice_as_many_steps_and_at_the_end():
    steps = 2 * FIRST_PICTURE + 30
    records = said(Race(job(Ravine(), [SGD(), Adam()], steps=steps)))
    pictures = [(r.step, r.quantity) for r in records if isinstance(r, Snapshot)]
    assert pictures == [(0, "surface"), *((n, "race") for n in (0, FIRST_PICTURE, 2 * FIRST_PICTURE, steps))]
    numbers = [(r.step, r.quantity, r.site, r.member) for r in records if isinstance(r, Scalar) and r.step == steps]
    assert sorted(numbers) == [
        (steps, quantity, str(i + 1), i) for quantity in ("distance", "height") for i in range(2)
    ]


def test_pictures_come_when_they_come_whoever_looks_in_between():
    racing = Race(job(Ravine(), [SGD()], steps=2 * FIRST_PICTURE + 1))
    records = []
    for _ in range(300):
        records += next(racing)
    racing.look()
    records += said(racing)
    steps = [r.step for r in records if r.quantity == "race"]
    assert steps == [0, FIRST_PICTURE, 2 * FIRST_PICTURE, 2 * FIRST_PICTURE + 1]


def test_a_look_says_the_present_step_once():
    racing = Race(job(Ravine(), [SGD()], steps=20, grid=2))
    assert [r.quantity for r in racing.look()][:2] == ["surface", "race"]
    assert racing.look() == []
    for _ in range(7):
        assert next(racing) == []
    records = racing.look()
    assert {r.step for r in records} == {7}
    assert last(records, "race")["points"].shape == (1, 8, 2)
    assert racing.look() == []


def test_looking_on_leaves_the_race_as_it_is():
    chosen = job(Himmelblau(), TWELVE[:9], steps=30, **EVERYTHING)
    watched = Race(chosen)
    for _ in range(29):
        next(watched)
        watched.look()
    assert as_bytes(said(watched)) == as_bytes([r for r in said(Race(chosen)) if r.step == 30])


def test_heights_and_distances_are_those_of_the_points():
    arrays = race(job(Himmelblau(), [SGD(lr=0.01), Newton(), CMAES()], steps=15))
    x, y = arrays["points"].transpose(2, 0, 1)
    assert arrays["points"].shape == (3, 16, 2)
    assert arrays["heights"] == pytest.approx((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2, rel=1e-13)
    minima = np.array([(3, 2), (-2.805118087, 3.131312518), (-3.779310253, -3.283185991), (3.584428340, -1.848126527)])
    nearest = np.linalg.norm(arrays["points"][:, :, None] - minima, axis=-1).min(-1)
    assert arrays["distance"] == pytest.approx(nearest, abs=1e-8)


def test_where_there_is_no_minimum_there_is_no_distance():
    arrays = race(job(Saddle(bounded=False), [SGD()], steps=5))
    assert np.isnan(arrays["distance"]).all()
    assert np.isfinite(arrays["heights"]).all()


# -- what is recorded of a step ---------------------------------------------------------------------------------------

REMEMBERING = {
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
        Himmelblau(), [m for m, _, _ in REMEMBERING.values()], steps=steps, clipping=clipping, noise=noise, seed=seed
    )
    arrays = race(chosen)
    for i, (method, build, names) in enumerate(REMEMBERING.values()):
        w = torch.tensor([Himmelblau.start], dtype=torch.float64)
        optimizer = build([w])
        generator = randomness.generator(seed, "noise")
        for step in range(steps):
            assert np.array_equal(arrays["points"][i, step], w[0].numpy()), method.kind
            w.grad = surfaces.slope(Himmelblau(), w)[1]
            w.grad = w.grad + noise * torch.randn(1, 2, dtype=torch.float64, generator=generator)
            w.grad = w.grad.clamp(-9, 9)
            optimizer.step()
            assert np.array_equal(arrays["gradient"][i, step], w.grad[0].float().numpy())
            for part in PARTS - {"gradient"}:
                kept = optimizer.state[w][names[part]][0].float().numpy() if part in names else [np.nan, np.nan]
                assert np.array_equal(arrays[part][i, step], kept, equal_nan=True), (method.kind, part, step)


def test_the_words_for_what_a_method_keeps_say_what_it_is():
    """Of a gradient g: sums, means and maxima written out by hand."""
    methods = [
        Adagrad(),
        Adadelta(rho=0.8),
        RMSprop(alpha=0.8, momentum=0.5),
        Adam(),
        Adamax(),
        SGD(lr=0.001, momentum=0.9),
    ]
    arrays = race(job(Himmelblau(), methods, steps=20))
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
    for method, _, names in REMEMBERING.values():
        assert set(names) <= set(STATE.get(type(method), {})), method


def running(values: np.ndarray, beta: float) -> np.ndarray:
    """The exponential running mean that begins at 0."""
    return np.array([(1 - beta) * sum(beta ** (t - s) * values[s] for s in range(t + 1)) for t in range(len(values))])


def test_what_is_corrected_for_bias_makes_the_step_that_was_taken():
    methods = [Adam(lr=0.1, eps=0.0), AdamW(lr=0.1, weight_decay=0.0, eps=0.0), Adam(amsgrad=True), SGD(lr=0.01)]
    arrays = race(job(Himmelblau(), methods, steps=30))
    for i in (0, 1):
        m, v = arrays["momentum_corrected"][i], arrays["second_moment_corrected"][i]
        step = np.diff(arrays["points"][i], axis=0)
        assert step == pytest.approx(-0.1 * m / np.sqrt(v), rel=1e-5)
        assert m[0] == pytest.approx(arrays["gradient"][i, 0], rel=1e-6)
        assert v[0] == pytest.approx(np.square(arrays["gradient"][i, 0]), rel=1e-5)
    assert np.isnan(arrays["momentum_corrected"][2:]).all()
    assert np.isnan(arrays["second_moment_corrected"][2:]).all()


def test_methods_without_a_part_have_nan_there_and_no_part_that_nobody_has_is_said():
    arrays = race(job(Himmelblau(), [CMAES(), SGD(lr=0.01), Newton(), LBFGS(lr=0.1), Adam()], steps=8))
    assert PARTS & set(arrays) == {"gradient", "momentum", "second_moment"}
    assert np.isnan(arrays["gradient"][0]).all()
    assert np.isnan(arrays["momentum"][:4]).all()
    points = torch.tensor(arrays["points"][:, :-1])
    for i in range(1, 5):
        expected = surfaces.slope(Himmelblau(), points[i])[1].float().numpy()
        assert np.array_equal(arrays["gradient"][i], expected)
    assert PARTS & set(race(job(Ravine(), [CMAES(), Genetic()], steps=3))) == set()


# -- noise ------------------------------------------------------------------------------------------------------------


def test_noise_is_the_same_for_all_racers_and_normal_around_zero():
    sigma, steps = 0.7, 4000
    slow = [SGD(lr=1e-9), SGD(lr=2e-9), Adam(lr=1e-9)]
    arrays = race(job(Ravine(), slow, steps=steps, noise=sigma, seed=1))
    points = torch.tensor(arrays["points"][:, :-1]).reshape(-1, 2)
    exact = surfaces.slope(Ravine(), points)[1].reshape(3, steps, 2).numpy()
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
        return race(job(Ravine(), methods, steps=20, noise=1, seed=seed))["gradient"]

    assert np.array_equal(gradients(1, SGD()), gradients(1, SGD(), Adam())[:1])
    assert not np.array_equal(gradients(1, SGD()), gradients(2, SGD()))


def test_noise_leaves_methods_that_see_the_surface_itself_alone():
    methods = [LBFGS(lr=0.1), Newton(lr=0.1), CMAES()]
    quiet, noisy = (race(job(Himmelblau(), methods, steps=10, noise=noise))["points"] for noise in (0, 2))
    assert np.array_equal(quiet, noisy)


# -- theory of the quadratic ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_a_race_on_a_quadratic_is_stable_just_below_the_limit_of_theory_and_not_just_above(momentum):
    bowl = Quadratic(curvature=3, condition=20, angle=30)
    limit = (2 + 2 * momentum) / 3
    arrays = race(job(bowl, [SGD(lr=part * limit, momentum=momentum) for part in (0.99, 1.01)], steps=4000))
    assert arrays["distance"][0, -1] < 1e-6
    assert arrays["gone"][0] == -1 < arrays["gone"][1]
    expected = [float(quadratic.rate(bowl.eigenvalues, part * limit, momentum)) for part in (0.99, 1.01)]
    measured = [quadratic.measured_rate(row) for row in arrays["distance"]]
    assert measured == pytest.approx(expected, abs=1e-3)


def test_nothing_is_predicted_under_noise_clipping_or_a_schedule():
    methods = [SGD(lr=0.1), SGD(lr=0.1, momentum=0.5)]
    assert np.isfinite(race(job(Quadratic(), methods, steps=20))["predicted_rate"]).all()
    for unlike in ({"noise": 0.1}, {"clipping": ClipNorm()}, {"clipping": ClipValue()}, {"schedule": OneCycle()}):
        arrays = race(job(Quadratic(), methods, steps=20, **unlike))
        assert np.isnan(arrays["predicted_rate"]).all(), unlike
        assert np.isfinite(arrays["measured_rate"]).all(), unlike


def test_late_in_a_race_the_best_settings_have_the_rates_of_theory():
    kappa = 50
    bowl = Quadratic(curvature=2, condition=kappa, angle=20)
    plain, heavy = quadratic.best_descent(bowl.eigenvalues), quadratic.best_heavy_ball(bowl.eigenvalues)
    methods = [SGD(lr=plain.alpha), SGD(lr=heavy.alpha, momentum=heavy.beta)]
    rows = race(job(bowl, methods, steps=1200))["distance"]
    assert quadratic.measured_rate(rows[0], 0.3) == pytest.approx((kappa - 1) / (kappa + 1), abs=1e-6)
    root = kappa**0.5
    # Both roots are double there: k σᵏ, which over steps around 1,000 looks slower than σ by a thousandth.
    assert quadratic.measured_rate(rows[1], 0.3) == pytest.approx((root - 1) / (root + 1), rel=2.5e-3)


# -- leaving ----------------------------------------------------------------------------------------------------------


def test_who_leaves_for_infinity_stops_and_the_others_go_on():
    steps = 100
    methods = [SGD(lr=0.01), SGD(lr=0.2), Adam(lr=0.1), Newton(lr=0.5), LBFGS(lr=0.1), SGD(lr=0.05, momentum=0.9)]
    chosen = job(Himmelblau(), methods, steps=steps)
    arrays = race(chosen)
    assert (arrays["gone"] >= 0).tolist() == [False, True, False, False, False, True]
    for i in (1, 5):
        gone = arrays["gone"][i]
        assert 0 < gone < 30
        kept = arrays["points"][i, :gone]
        assert (np.abs(kept) <= FAR).all()
        assert np.isnan(arrays["points"][i, gone:]).all()
        assert np.isnan(arrays["heights"][i, gone:]).all()
        assert np.isfinite(arrays["gradient"][i, :gone]).all()
        assert np.isnan(arrays["gradient"][i, gone:]).all()
    for i in (0, 2, 3, 4):
        assert np.isfinite(arrays["points"][i]).all()
        alone = race(job(Himmelblau(), [methods[i]], steps=steps))
        assert np.array_equal(alone["points"][0], arrays["points"][i])


def test_a_zero_gradient_without_epsilon_is_0_by_0_and_no_leaving():
    """On the ravine at (−7, 0) the gradient is 0 along y."""
    bare = [Adam(lr=0.3, eps=0), RMSprop(lr=0.1, eps=0), Adagrad(eps=0), Adadelta(eps=0), Adamax(eps=0), AdamW(eps=0)]
    bare += [NAdam(eps=0), UncorrectedAdam(eps=0)]
    arrays = race(job(Ravine(), bare, steps=20, x=-7.0, y=0.0))
    assert arrays["gone"].tolist() == [1] * len(bare)
    assert set(arrays["exit"].tolist()) == {"zero_by_zero"}
    kept = race(job(Ravine(), [Adam(lr=0.3), RMSprop(lr=0.1), Adam(lr=0.3, eps=0)], steps=20, x=-7.0, y=1.0))
    assert kept["exit"].tolist() == ["", "", ""]


def test_why_a_racer_is_nowhere_any_more_is_that_of_the_surface_or_of_the_step():
    cases = [
        (Quadratic(curvature=40, condition=1), SGD(lr=1.0), (-4, 2), "diverged"),
        (Formula(text="log(x)"), SGD(lr=1.0), (0.1, 0), "no_value"),  # over the edge in one step
        (Formula(text="sqrt(x)"), SGD(lr=0.1), (0, 0), "no_gradient"),
        (Formula(text="x**1.5"), Newton(), (0, 0), "no_curvature"),
    ]
    for surface, method, (x, y), reason in cases:
        arrays = race(job(surface, [method], steps=60, x=x, y=y))
        assert arrays["exit"].tolist() == [reason], surface
        assert arrays["gone"][0] > 0
    at, nowhere = torch.zeros(2, dtype=torch.float64), torch.tensor([torch.nan, 0.0], dtype=torch.float64)
    # ∞ − ∞, say: ε is not 0, and all of the surface is finite.
    assert exits.reason(Adam(), Quadratic(), at, nowhere, at) == "not_a_number"


@pytest.mark.parametrize("lr", [0.1, 0.055, 1.0])
def test_the_step_at_which_a_racer_has_left_is_that_of_a_loop_that_looks_each_time(lr):
    bowl = Quadratic(curvature=40, condition=1)
    gone = int(race(job(bowl, [SGD(lr=lr)], steps=400))["gone"][0])
    x, step = np.array([-4.0, 2.0]), 0
    while np.abs(x).max() <= FAR:
        x, step = x - lr * 40 * x, step + 1
    assert gone == step


def test_a_race_looks_who_has_left_whenever_it_is_asked():
    racing = Race(job(Quadratic(curvature=40, condition=1), [SGD(lr=1.0), SGD(lr=0.001)], steps=40))
    for _ in range(LOOKED - 2):
        next(racing)
    arrays = last(racing.look(), "race")
    assert 0 < arrays["gone"][0] < LOOKED - 2
    assert arrays["gone"][1] == -1
    assert np.isnan(arrays["points"][0, -1]).all()


@each("text", ["log(x)", "-exp(x**2)", "1/(x*y)", "sqrt(x) + y", "-x**4 - y**4", "3"])
def test_no_method_stumbles_over_a_surface_with_holes_or_without_a_bottom(text):
    surface = Formula(text=text)
    for some in (ALL[:12], [*WITH_RPROP[12:], LBFGS(line_search=True), Newton()]):
        arrays = race(job(surface, some, steps=60, x=0.7, y=0.4, grid=2))
        for points, gone in zip(arrays["points"], arrays["gone"], strict=True):
            assert np.isfinite(points[: gone if gone >= 0 else None]).all()
            assert gone < 0 or np.isnan(points[gone:]).all()


def test_a_step_at_a_wall_throws_far_and_clipping_holds():
    cliff = job(Cliff(height=10, steepness=100), [SGD(lr=0.1)], steps=60, x=-0.02, y=0.0)
    held = cliff.model_copy(update={"clipping": ClipNorm(max_norm=1)})
    assert race(cliff)["points"][0, :, 0].max() > 10
    assert race(held)["points"][0, :, 0].max() < 3.5


def test_the_rate_of_each_step_is_the_scheduled_one():
    chosen = job(Ravine(), [SGD(lr=0.1)], steps=20, schedule=StepDecay(every=7, factor=0.5))
    arrays = race(chosen)
    moved = -np.diff(arrays["points"][0], axis=0) / arrays["gradient"][0]
    assert moved[:, 1] == pytest.approx([0.1 * 0.5 ** (n // 7) for n in range(20)], rel=1e-5)
