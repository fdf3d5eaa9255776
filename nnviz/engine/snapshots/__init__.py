"""Modules and learners -> the arrays of snapshots."""
