"""Predictions about networks and optimizers before training."""
