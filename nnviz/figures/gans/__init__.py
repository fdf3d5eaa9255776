"""Generators and discriminators in the plane."""
