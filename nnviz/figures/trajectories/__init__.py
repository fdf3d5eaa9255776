"""Optimizers on a function of two variables."""
