"""Networks -> arrays."""
