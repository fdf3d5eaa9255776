"""Probe specs -> probes."""

from collections.abc import Sequence

from nnviz.engine.probes.activations import Activations
from nnviz.engine.probes.gradient_norms import GradientNorms
from nnviz.engine.probes.histograms import Histograms
from nnviz.engine.probes.signal import Signal
from nnviz.engine.probes.updates import Updates
from nnviz.engine.watch import Probe
from nnviz.spec import probes as spec


def build(probe: spec.Probe, sites: Sequence[str]) -> Probe:
    """The probe of a spec for parameters at these sites."""
    match probe:
        case spec.GradientNorms(every=every):
            return GradientNorms(every, sites)
        case spec.Updates(every=every):
            return Updates(every, sites)
        case spec.Activations(every=every):
            return Activations(every)
        case spec.Signal(every=every):
            return Signal(every)
        case spec.Histograms(every=every):
            return Histograms(every, sites)
    raise TypeError(f"no probe for {probe!r}")
