"""Optimizers, schedules, gradient clipping, and gradient-free methods."""
