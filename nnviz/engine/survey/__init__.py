"""Landscape jobs: a network is trained once more, and looked at from several sides."""

from nnviz.engine.survey.survey import Survey

__all__ = ["Survey"]
