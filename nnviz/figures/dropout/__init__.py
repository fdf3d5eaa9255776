"""Figures of dropout: activations, averages over masks, uncertainty."""
