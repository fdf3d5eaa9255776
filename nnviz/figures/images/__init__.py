"""Grids and rows of images."""
