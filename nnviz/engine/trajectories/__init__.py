"""Points that move down a surface."""
