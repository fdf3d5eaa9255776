"""What is known of networks and optimizers before a single step is taken."""
