"""Optimizer specs -> torch.optim."""

from collections.abc import Iterable

import torch
from torch import nn, optim

from nnviz.spec import optimizers as spec


def build(optimizer: spec.Optimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The torch optimizer over the parameters."""
    s, p = optimizer, list(parameters)
    match optimizer:
        case spec.SGD():
            return optim.SGD(
                p, s.lr, s.momentum, dampening=s.dampening, weight_decay=s.weight_decay, nesterov=s.nesterov
            )
        case spec.Adagrad():
            return optim.Adagrad(p, s.lr, s.lr_decay, s.weight_decay, s.initial_accumulator, eps=s.eps)
        case spec.Adadelta():
            return optim.Adadelta(p, s.lr, s.rho, s.eps, s.weight_decay)
        case spec.RMSprop():
            return optim.RMSprop(p, s.lr, s.alpha, s.eps, s.weight_decay, s.momentum, centered=s.centered)
        case spec.Adam() | spec.AdamW():
            kind = optim.Adam if isinstance(s, spec.Adam) else optim.AdamW
            return kind(p, s.lr, (s.beta1, s.beta2), s.eps, s.weight_decay, amsgrad=s.amsgrad)
        case spec.NAdam():
            return optim.NAdam(p, s.lr, (s.beta1, s.beta2), s.eps, s.weight_decay, s.momentum_decay)
        case spec.RAdam():
            return optim.RAdam(p, s.lr, (s.beta1, s.beta2), s.eps, s.weight_decay)
        case spec.Adamax():
            return optim.Adamax(p, s.lr, (s.beta1, s.beta2), s.eps, s.weight_decay)
        case spec.Rprop():
            return optim.Rprop(p, s.lr, (s.shrink, s.grow), (s.smallest, s.largest))
    raise TypeError(f"no optimizer for {optimizer!r}")


def state_keys(optimizer: spec.Optimizer) -> set[str]:
    """Keys of the optimizer's state of a parameter, found by a step on a parameter of one entry."""
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    built = build(optimizer, [parameter])
    built.step()
    return set(built.state[parameter])
