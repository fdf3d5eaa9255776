"""Optimizers, schedules and clipping; methods without gradients."""
