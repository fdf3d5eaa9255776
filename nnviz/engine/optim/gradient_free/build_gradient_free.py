"""Gradient-free specs -> methods."""

import torch
from torch import Tensor

from nnviz.engine.optim.gradient_free import cma_es, genetic, one_plus_one_es, open_es
from nnviz.engine.optim.gradient_free.gradient_free_method import Method
from nnviz.spec import gradient_free as spec


def build(method: spec.GradientFree, points: Tensor, generator: torch.Generator) -> Method:
    """The method with its starts (starts, dimensions); it draws all random numbers from the generator."""
    match method:
        case spec.OnePlusOneES():
            return one_plus_one_es.OnePlusOneES(method, points, generator)
        case spec.OpenES():
            return open_es.OpenES(method, points, generator)
        case spec.CMAES():
            return cma_es.CMAES(method, points, generator)
        case spec.Genetic():
            return genetic.Genetic(method, points, generator)
    raise TypeError(f"no method for {method!r}")
