"""The vocabulary: what can be chosen, its limits and its documentation. No torch, no numpy."""
