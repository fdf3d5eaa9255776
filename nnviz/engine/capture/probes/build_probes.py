"""Probe specs -> probes."""

from nnviz.engine.capture import Probe
from nnviz.engine.capture.probes.activation_probe import Activations
from nnviz.engine.capture.probes.gradient_norm_probe import GradientNorms
from nnviz.engine.capture.probes.histogram_probe import Histograms
from nnviz.engine.capture.probes.signal_probe import Signal
from nnviz.engine.capture.probes.update_probe import Updates
from nnviz.spec import probes as spec


def build(probe: spec.Probe) -> Probe:
    """The probe of a spec."""
    match probe:
        case spec.GradientNorms(every=every):
            return GradientNorms(every)
        case spec.Updates(every=every):
            return Updates(every)
        case spec.Activations(every=every):
            return Activations(every)
        case spec.Signal(every=every):
            return Signal(every)
        case spec.Histograms(every=every):
            return Histograms(every)
    raise TypeError(f"no probe for {probe!r}")
