"""Data, predictions and errors on single samples."""
