"""The time that is said before a training of images begins."""

from nnviz.presets import gans_images
from nnviz.spec.base import replace_many
from nnviz.spec.data.images import Shapes
from nnviz.spec.estimates import seconds_of_image_step
from nnviz.spec.models import MLP, DCGANDiscriminator, DCGANGenerator, Hidden
from nnviz.ui.form.time_estimate import duration, time_estimate
from tests.each import each

DEFAULT = gans_images.DEFAULT


def test_a_line_says_the_time_of_all_variants_together():
    (one,) = time_estimate([DEFAULT])
    assert one == "About 25 s on one CPU core (1,500 steps of 11 ms, and evaluations); less on a GPU."
    (four,) = time_estimate([DEFAULT] * 4)
    assert four.startswith("About 2 min on one CPU core (4 variants, 6,000 steps of 11 ms, and evaluations)")


def test_larger_images_wider_networks_and_larger_batches_take_longer():
    large = replace_many(DEFAULT, {"learner.data": Shapes(size=32), "learner.conditional": "none"}).learner
    smaller = [
        replace_many(large, {"data.size": 16}),
        replace_many(large, {"generator": DCGANGenerator(width=16), "discriminator": DCGANDiscriminator(width=16)}),
        replace_many(large, {"batch_size": 32}),
        replace_many(large, {"generator": MLP(hidden=(Hidden(width=32),))}),
    ]
    assert all(seconds_of_image_step(one) < seconds_of_image_step(large) for one in smaller)


@each("seconds, words", [(0.2, "1 s"), (7.4, "7 s"), (26, "25 s"), (130, "2 min"), (5_000, "83 min"), (9_000, "2.5 h")])
def test_a_duration_is_rounded(seconds, words):
    assert duration(seconds) == words
