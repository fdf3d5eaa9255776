"""Processes that train runs, and who gives them work."""
