"""Specs to widgets to specs."""
