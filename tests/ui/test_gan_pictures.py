"""Pictures of the two networks of a GAN, whose probes tell forward passes and updates apart."""

import pytest

from nnviz.engine import run
from nnviz.runs import Store
from nnviz.ui import gan_pictures
from tests.engine import gan_jobs


@pytest.mark.parametrize("updates", [1, 2])
def test_every_picture_of_layers_is_drawn_of_both_networks_whatever_passes_and_updates_a_step_has(tmp_path, updates):
    file = Store(tmp_path).create(job := gan_jobs.job(steps=6, discriminator_updates=updates))
    with run(job) as under_way:
        for records in under_way:
            file.write(records, step=under_way.step)
    view = Store(tmp_path).view(file.id)
    drawn = {}
    for network in ("generator", "discriminator"):
        for batch in ("real", "fake"):
            drawn[f"signal {batch}", network] = gan_pictures.signal(view, network, batch)
            drawn[f"activations {batch}", network] = gan_pictures.activations(view, network, batch)
        drawn["gradient sizes", network] = gan_pictures.sizes("gradient_histogram")(view, network)
        drawn["weight sizes", network] = gan_pictures.sizes("weight_histogram")(view, network)
        drawn["gradients", network] = gan_pictures.gradients(view, network)
        drawn["ratios", network] = gan_pictures.ratios(view, network)
        drawn["dead and saturated", network] = gan_pictures.dead_and_saturated(view, network)
    assert [which for which, figure in drawn.items() if not figure["data"]] == []
    for name in ("signal", "activations"):
        on_real, on_fake = (drawn[f"{name} {batch}", "discriminator"]["data"] for batch in ("real", "fake"))
        assert str(on_real) != str(on_fake), name
