"""Probe specs -> probes."""

from nnviz.engine.capture import Probe
from nnviz.engine.probes.activations import Activations
from nnviz.engine.probes.gradient_norms import GradientNorms
from nnviz.engine.probes.histograms import Histograms
from nnviz.engine.probes.signal import Signal
from nnviz.engine.probes.updates import Updates
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
