from nnviz.spec.number_format import format_number


def test_powers_of_ten_are_written_as_such_and_other_numbers_as_they_are():
    words = {
        4.95e-19: "4.95 × 10⁻¹⁹",
        1e-5: "10⁻⁵",
        -1e20: "−10²⁰",
        3e-10: "3 × 10⁻¹⁰",
        0.001: "0.001",
        0.0: "0",
        -20_000.0: "−20,000",
        float("nan"): "nan",
        float("inf"): "inf",
    }
    for number, text in words.items():
        assert format_number(number) == text
    assert format_number(4.9526e-19, 3) == "4.95 × 10⁻¹⁹"
