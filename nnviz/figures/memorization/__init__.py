"""When single training samples are learned and forgotten."""
