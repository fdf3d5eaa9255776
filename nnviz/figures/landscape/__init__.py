"""The loss of a trained network over its weights."""
