"""What GAN images starts from, and its one-click examples."""

from nnviz.spec.activations import LeakyReLU
from nnviz.spec.data.images import DigitImages, Shapes
from nnviz.spec.initializers import Normal, PyTorchDefault
from nnviz.spec.jobs import Training
from nnviz.spec.learners import ImageAdversarial
from nnviz.spec.models import MLP, DCGANDiscriminator, DCGANGenerator, Hidden
from nnviz.spec.optimizers import Adam
from nnviz.spec.preset import Preset


def _train(lr: float = 5e-4, steps: int = 1500, evaluate_every: int = 25, **learner: object) -> Training:
    adam = Adam(lr=lr, beta1=0.5, beta2=0.999)
    networks = ImageAdversarial(generator_optimizer=adam, discriminator_optimizer=adam, **learner)
    return Training(learner=networks, steps=steps, evaluate_every=evaluate_every)


def _networks(**both: object) -> dict[str, object]:
    return {"generator": DCGANGenerator(**both), "discriminator": DCGANDiscriminator(**both)}


def _fully_connected() -> dict[str, object]:
    network = MLP(hidden=(Hidden(width=256, activation=LeakyReLU(slope=0.2)),) * 2, initializer=PyTorchDefault())
    return {"generator": network, "discriminator": network}


_SLOWER = {"steps": 3000, "evaluate_every": 50, "conditional": "none"}

DEFAULT = _train()
"""Digits of 8 × 8 pixels by class, with the networks of DCGAN."""

EXAMPLES = (
    Preset(
        title="Digits by class",
        look_at="Each column is one class, each row one noise vector, the same at all steps. By step 300 a classifier "
        "that was trained on real digits assigns nine of ten images to the requested class. Drag the time slider back "
        "to see how the strokes take shape.",
        reference="Radford et al., 2016, arXiv:1511.06434; Miyato & Koyama, 2018, arXiv:1802.05637",
        jobs=(DEFAULT,),
    ),
    Preset(
        title="16 × 16 pixels",
        look_at="The same digits, interpolated to 16 × 16 pixels, and a layer more in both networks. By step 300 nine "
        "of ten images are assigned to the requested class, but they vary less within a class than real ones: see the "
        "section Diversity.",
        reference="Radford et al., 2016, arXiv:1511.06434",
        jobs=(_train(data=DigitImages(size=16)),),
    ),
    Preset(
        title="Colored shapes",
        look_at="Triangles, parallelograms and ellipses of any place, size and color: images of a class have far "
        "less in common than digits. At step 600 fewer than nine of ten images are assigned to the requested class, "
        "which digits of this size reach by step 300.",
        reference="Glorot & Bengio, 2010; Radford et al., 2016, arXiv:1511.06434",
        jobs=(_train(steps=3000, evaluate_every=50, data=Shapes()),),
    ),
    Preset(
        title="Four variants of DCGAN",
        look_at="The same data, noise and seed: the networks as published (A), without batch norm (B), with "
        "interpolation and max pooling in place of strides (C), with initial weights ten times as large (D). At step "
        "300 B covers at most two of ten classes: nearly all noise leads to one image. D has hardly learned: the "
        "classifier is confident (p > 0.9) in less than a third of its images.",
        reference="Radford et al., 2016, arXiv:1511.06434",
        jobs=(
            DEFAULT,
            _train(**_networks(norm="none")),
            _train(
                generator=DCGANGenerator(upsampling="interpolated"),
                discriminator=DCGANDiscriminator(downsampling="pooled"),
            ),
            _train(**_networks(initializer=Normal(std=0.2))),
        ),
    ),
    Preset(
        title="Without class labels",
        look_at="Neither network is told the class: DCGAN with the published learning rate of 0.0002 (A), with 0.001 "
        "(B), and a pair of fully connected networks (C). At step 300 the classifier is confident (p > 0.9) in more "
        "of B's images than of A's. Look for images between two digits: without labels nothing rules them out.",
        reference="Radford et al., 2016, arXiv:1511.06434",
        jobs=(
            _train(2e-4, **_SLOWER),
            _train(1e-3, **_SLOWER),
            _train(2e-4, **_SLOWER, **_fully_connected()),
        ),
    ),
)
