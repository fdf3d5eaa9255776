"""Several runs in one figure, or in several with the same axes."""
