"""Curves over the training steps."""
