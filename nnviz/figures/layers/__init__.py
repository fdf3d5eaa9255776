"""What happens in each layer: over depth and over the steps."""
