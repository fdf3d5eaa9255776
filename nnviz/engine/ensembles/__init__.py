"""Many trainings of one architecture at once, with stacked parameters."""
