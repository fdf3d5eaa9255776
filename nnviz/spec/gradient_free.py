"""Gradient-free optimizers: evolution strategies and a genetic algorithm."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec

LOG = {"log": True}


def _sigma(default: float, description: str) -> float:
    return Field(default, gt=0, le=100, title="σ", description=description, json_schema_extra=LOG)


class OnePlusOneES(Spec):
    """x ← x + σz if f decreases; σ ← σ · a after a success, σ ← σ / a^¼ after a failure: stationary at a success rate
    of ⅕ (Rechenberg, 1973).

    Rechenberg, 1973, "Evolutionsstrategie"; the rule step by step as in Auger & Hansen, 2013, arXiv:1310.8397. An
    evaluation a step, and one more for the start.
    """

    model_config = ConfigDict(title="(1+1)-ES")
    kind: Literal["one_plus_one_es"] = "one_plus_one_es"
    sigma: float = _sigma(0.5, "Initial standard deviation of the mutation.")
    factor: float = Field(1.5, ge=1, le=10, title="a", description="Factor on σ after a success; 1 keeps σ constant.")


class OpenES(Spec):
    """x ← x − ηĝ with ĝ the mean of z · (f(x + σz) − f(x − σz)) / 2σ (Salimans et al., 2017, arXiv:1703.03864).

    ĝ is the gradient of f blurred with a Gaussian of width σ.
    """

    model_config = ConfigDict(title="OpenAI-ES")
    kind: Literal["open_es"] = "open_es"
    lr: float = Field(0.1, gt=0, le=10, title="learning rate", description="η, the step size.", json_schema_extra=LOG)
    sigma: float = _sigma(0.1, "Standard deviation of the perturbation; f is smoothed at this scale.")
    pairs: int = Field(10, ge=1, le=100, description="Antithetic pairs ±z per step, two evaluations each.")
    ranks: bool = Field(
        False,
        description="Replace f by its ranks, from −½ (lowest) to ½: invariant to the scale of f, robust to outliers.",
    )


class CMAES(Spec):
    """Samples from N(m, σ²C); m moves to the mean of the better half, C adapts to the local shape of f, σ to the length
    of the evolution path (Hansen, 2016, arXiv:1604.00772).

    Hansen, 2016, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772, with its standard settings.
    """

    model_config = ConfigDict(title="CMA-ES")
    kind: Literal["cma_es"] = "cma_es"
    sigma: float = _sigma(0.5, "Initial standard deviation.")
    population: int = Field(
        6, ge=4, le=200, title="λ", description="Population size; 6 is the default in two dimensions."
    )


class Genetic(Spec):
    """Tournament selection, blend crossover, Gaussian mutation and elitism (Holland, 1975).

    Holland, 1975; tournaments of Goldberg & Deb, 1991; blend crossover BLX-α of Eshelman & Schaffer, 1993: each
    coordinate of a child is uniform on the interval between its parents, widened by α of its length at both ends.
    """

    model_config = ConfigDict(title="Genetic algorithm")
    kind: Literal["genetic"] = "genetic"
    population: int = Field(30, ge=4, le=200, description="Population size.")
    spread: float = Field(
        1.0,
        gt=0,
        le=100,
        description="Standard deviation of the initial population around the start.",
        json_schema_extra=LOG,
    )
    tournament: int = Field(
        3, ge=1, le=20, description="Tournament size: candidates per parent, of which the lowest is chosen."
    )
    crossover: float = Field(0.9, ge=0, le=1, description="Probability that a child has two parents.")
    blend: float = Field(
        0.5,
        ge=0,
        le=1,
        title="α",
        description="Blend coefficient: how far beyond its parents a child may lie; 0: between them.",
    )
    mutation: float = Field(0.5, ge=0, le=1, description="Probability that a coordinate mutates.")
    sigma: float = _sigma(0.3, "Standard deviation of the mutation.")
    decay: float = Field(0.98, gt=0, le=1, description="Factor on σ per generation.")
    elite: int = Field(1, ge=0, le=3, description="Number of best points that pass to the next generation unchanged.")


GradientFree = Annotated[OnePlusOneES | OpenES | CMAES | Genetic, Field(discriminator="kind")]
