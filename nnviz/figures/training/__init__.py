"""Curves over the steps of a training."""
