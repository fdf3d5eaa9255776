"""Data, predictions and errors of single samples."""
