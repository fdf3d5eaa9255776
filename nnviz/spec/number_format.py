"""Numbers as a reader writes them: 4.95 × 10⁻¹⁹ and −20,000, not 4.95e-19 and -20000."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_number(value: float, digits: int = 6) -> str:
    """At most `digits` significant digits, with a power of ten where the number is very small or very large."""
    mantissa, e, exponent = f"{value:,.{digits}g}".partition("e")
    mantissa = mantissa.replace("-", "−")
    if not e:
        return mantissa
    power = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return {"1": power, "−1": f"−{power}"}.get(mantissa, f"{mantissa} × {power}")
