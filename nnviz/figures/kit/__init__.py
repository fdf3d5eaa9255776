"""What all figures share: colors, axes, layout, labels, tables."""
