"""Gradient-free specs -> methods."""

import torch
from torch import Tensor

from nnviz.engine.optim.gradient_free import cma_es, genetic, one_plus_one_es, open_es
from nnviz.engine.optim.gradient_free.gradient_free_method import Method
from nnviz.spec import gradient_free as spec


def build(evolution: spec.Evolution, points: Tensor, generator: torch.Generator) -> Method:
    """The method with its starts (starts, dimensions); it draws all random numbers from the generator."""
    match evolution:
        case spec.OnePlusOneES():
            return one_plus_one_es.OnePlusOneES(evolution, points, generator)
        case spec.OpenES():
            return open_es.OpenES(evolution, points, generator)
        case spec.CMAES():
            return cma_es.CMAES(evolution, points, generator)
        case spec.Genetic():
            return genetic.Genetic(evolution, points, generator)
    raise TypeError(f"no method for {evolution!r}")
