"""See how a neural network learns."""
