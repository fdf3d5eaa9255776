"""Optimizers of stacked parameters (members, parameters), each member with its own learning rate.

The updates are those of torch.optim, element by element, with the learning rates as a column (members, 1). A test
compares each of them with torch's.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nnviz.spec import optimizers as spec


class StackedOptimizer:
    """The optimizer of a spec over `parameters` (members, parameters), which it changes in place."""

    def __init__(self, optimizer: spec.Optimizer, parameters: Tensor) -> None:
        self.spec, self.parameters = optimizer, parameters
        self.state: dict[str, Tensor] = {}
        """Tensors like the parameters, by torch's names; empty before the first step."""
        self.mu_product = torch.tensor(1.0, dtype=torch.float32)
        """NAdam's product of momentum coefficients, which torch rounds to float32 at each step."""

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on, besides the parameters and the number of the step."""
        return {"tensors": self.state, "mu_product": self.mu_product}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Loads what `state_dict` returned."""
        self.state, self.mu_product = dict(state["tensors"]), state["mu_product"].cpu()

    @torch.no_grad()
    def step(self, gradient: Tensor, rates: Tensor, number: int) -> None:
        """Update `number` (1-based) with gradients (members, parameters), which may be overwritten, and learning rates
        (members, 1)."""
        s, w = self.spec, self.parameters
        decay = 0.0 if isinstance(s, spec.Rprop) else s.weight_decay
        if decay and isinstance(s, spec.AdamW):
            w.mul_(1 - rates * decay)
        elif decay:
            gradient = gradient.add(w, alpha=decay)
        match s:
            case spec.SGD():
                w.addcmul_(self._with_momentum(gradient), rates, value=-1)
            case spec.Adagrad():
                total = self._like("sum", s.initial_accumulator).addcmul_(gradient, gradient)
                self._move(gradient, total.sqrt().add_(s.eps), rates / (1 + (number - 1) * s.lr_decay))
            case spec.Adadelta():
                square, delta = self._like("square_avg"), self._like("acc_delta")
                square.mul_(s.rho).addcmul_(gradient, gradient, value=1 - s.rho)
                update = delta.add(s.eps).sqrt_().div_(square.add(s.eps).sqrt_()).mul_(gradient)
                delta.mul_(s.rho).addcmul_(update, update, value=1 - s.rho)
                w.addcmul_(update, rates, value=-1)
            case spec.RMSprop():
                self._rmsprop(gradient, rates)
            case spec.Adam() | spec.AdamW():
                first, second = self._moments(gradient)
                if s.amsgrad:
                    largest = self._like("max_exp_avg_sq")
                    second = torch.maximum(largest, second, out=largest)
                root = second.sqrt().div_((1 - s.beta2**number) ** 0.5).add_(s.eps)
                self._move(first, root, rates / (1 - s.beta1**number))
            case spec.NAdam():
                self._nadam(gradient, rates, number)
            case spec.RAdam():
                self._radam(gradient, rates, number)
            case spec.Adamax():
                first, largest = self._like("exp_avg").lerp_(gradient, 1 - s.beta1), self._like("exp_inf")
                torch.maximum(largest.mul_(s.beta2), gradient.abs().add_(s.eps), out=largest)
                self._move(first, largest, rates / (1 - s.beta1**number))
            case spec.Rprop():
                self._rprop(gradient, rates)
            case _:
                raise TypeError(f"no stacked optimizer for {s!r}")

    def _like(self, name: str, value: float = 0.0) -> Tensor:
        """A tensor of the state, which starts at a value."""
        if name not in self.state:
            self.state[name] = torch.full_like(self.parameters, value)
        return self.state[name]

    def _move(self, numerator: Tensor, denominator: Tensor, rates: Tensor) -> None:
        """w ← w − rate · numerator / denominator."""
        self.parameters.addcmul_(numerator / denominator, rates, value=-1)

    def _moments(self, gradient: Tensor) -> tuple[Tensor, Tensor]:
        s = self.spec
        first = self._like("exp_avg").lerp_(gradient, 1 - s.beta1)
        return first, self._like("exp_avg_sq").mul_(s.beta2).addcmul_(gradient, gradient, value=1 - s.beta2)

    def _with_momentum(self, gradient: Tensor) -> Tensor:
        s = self.spec
        if not s.momentum:
            return gradient
        if (velocity := self.state.get("momentum_buffer")) is None:
            velocity = self.state["momentum_buffer"] = gradient.clone()  # the first is not dampened
        else:
            velocity.mul_(s.momentum).add_(gradient, alpha=1 - s.dampening)
        return gradient.add(velocity, alpha=s.momentum) if s.nesterov else velocity

    def _rmsprop(self, gradient: Tensor, rates: Tensor) -> None:
        s = self.spec
        square = self._like("square_avg").mul_(s.alpha).addcmul_(gradient, gradient, value=1 - s.alpha)
        if s.centered:
            mean = self._like("grad_avg").lerp_(gradient, 1 - s.alpha)
            square = square.addcmul(mean, mean, value=-1)
        root = square.sqrt().add_(s.eps)
        if s.momentum:
            velocity = self._like("momentum_buffer").mul_(s.momentum).addcdiv_(gradient, root)
            self.parameters.addcmul_(velocity, rates, value=-1)
        else:
            self._move(gradient, root, rates)

    def _nadam(self, gradient: Tensor, rates: Tensor, number: int) -> None:
        s = self.spec
        mu, after = (s.beta1 * (1 - 0.5 * 0.96 ** (t * s.momentum_decay)) for t in (number, number + 1))
        product = float(self.mu_product.mul_(mu))
        first, second = self._moments(gradient)
        root = second.div(1 - s.beta2**number).sqrt_().add_(s.eps)
        self._move(gradient, root, rates * ((1 - mu) / (1 - product)))
        self._move(first, root, rates * (after / (1 - product * after)))

    def _radam(self, gradient: Tensor, rates: Tensor, number: int) -> None:
        s = self.spec
        first, second = self._moments(gradient)
        correction = 1 - s.beta2**number
        limit = 2 / (1 - s.beta2) - 1
        rho = limit - 2 * number * s.beta2**number / correction
        update = first / (1 - s.beta1**number)
        if rho > 5:
            rectified = ((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)) ** 0.5
            update.mul_(rectified * correction**0.5).div_(second.sqrt().add_(s.eps))
        self.parameters.addcmul_(update, rates, value=-1)

    def _rprop(self, gradient: Tensor, rates: Tensor) -> None:
        s, before = self.spec, self._like("prev")
        if "step_size" not in self.state:
            self.state["step_size"] = rates.expand_as(self.parameters).clone()
        turned = (gradient * before).sign()
        factor = torch.ones_like(turned).masked_fill_(turned > 0, s.grow).masked_fill_(turned < 0, s.shrink)
        size = self.state["step_size"].mul_(factor).clamp_(s.smallest, s.largest)
        gradient = gradient.masked_fill(turned < 0, 0.0)
        self.parameters.addcmul_(gradient.sign(), size, value=-1)
        before.copy_(gradient)
