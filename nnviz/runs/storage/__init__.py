"""Runs as files: one SQLite file a run, in a folder."""
