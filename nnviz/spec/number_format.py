"""Numbers as a reader writes them: 4.95 × 10⁻¹⁹, not 4.95e-19."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_number(value: float, digits: int = 6) -> str:
    """At most `digits` significant digits, with a power of ten where the number is very small or very large."""
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    power = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return {"1": power, "-1": f"-{power}"}.get(mantissa, f"{mantissa} × {power}")
