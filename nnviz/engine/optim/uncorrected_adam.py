"""Adam without bias correction."""

from collections.abc import Iterable

import torch
from torch import Tensor


class UncorrectedAdam(torch.optim.Optimizer):
    """w ← w − η m / (√v + ε), m and v moving averages that start at 0, without correction of that bias.

    Kingma & Ba, 2015, arXiv:1412.6980, section 3, explains why Adam has the correction.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, betas: tuple[float, float], eps: float) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self) -> None:
        """One update of all parameters."""
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state.update(exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
                state["exp_avg"].lerp_(p.grad, 1 - beta1)
                state["exp_avg_sq"].mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
                p.addcdiv_(state["exp_avg"], state["exp_avg_sq"].sqrt().add_(group["eps"]), value=-group["lr"])
