"""Several runs in one figure, or on the same axes."""
