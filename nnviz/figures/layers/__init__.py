"""Quantities of each layer, over depth and over the training steps."""
