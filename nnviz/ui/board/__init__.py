"""The one component that draws figures."""
