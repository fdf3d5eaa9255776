"""What normalization layers do."""
