"""Modules and learners -> the arrays of their pictures."""
