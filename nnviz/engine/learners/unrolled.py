"""The discriminator as it would be some steps from now, as a function of the generator's samples."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call


def unroll(
    discriminator: nn.Module, loss: Callable[[Callable[..., Tensor]], Tensor], steps: int, lr: float
) -> Callable[..., Tensor]:
    """The discriminator after `steps` of gradient descent on `loss` (discriminator -> loss) with rate `lr`,
    differentiable through the steps in whatever the loss depends on (Metz et al., 2017, arXiv:1611.02163, with plain
    gradient descent in place of Adam). Its own parameters stay as they are."""
    parameters = {name: p.detach().requires_grad_() for name, p in discriminator.named_parameters()}

    def at(parameters: dict[str, Tensor]) -> Callable[..., Tensor]:
        return lambda *inputs: functional_call(discriminator, parameters, inputs)

    for _ in range(steps):
        gradients = torch.autograd.grad(loss(at(parameters)), list(parameters.values()), create_graph=True)
        parameters = {n: p - lr * g for (n, p), g in zip(parameters.items(), gradients, strict=True)}
    return at(parameters)
