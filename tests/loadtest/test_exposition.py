import time

import pytest

from include.loadtest.exposition import series_of

pytestmark = pytest.mark.unit


def test_lines_of_the_format_are_read() -> None:
    """With and without labels, with a time stamp, with the line ends of any system."""
    page = (
        "# HELP a help\n# TYPE a gauge\na 1\n"
        'b{path="/x y",code="}"} 2.5e3 1700000000000\r\n'
        "c_total\t+7.\n"
        "process_start_time_seconds 1.79e+09\n"
    )
    assert [tuple(entry) for entry in series_of(page)] == [
        ("a", "", 1.0),
        ("b", '{path="/x y",code="}"}', 2500.0),
        ("c_total", "", 7.0),
        ("process_start_time_seconds", "", 1.79e9),
    ]


def test_only_wanted_names_are_read() -> None:
    """By the whole name, with and without labels."""
    page = 'a 1\nab{x="1"} 2\na{x="1"} 3\nb 4\n'
    assert [entry.value for entry in series_of(page, lambda name: name == "a")] == [1.0, 3.0]


def test_labels_have_their_values() -> None:
    """Commas, braces and escaped quotes may stand in one."""
    (entry,) = series_of('a{path="/x,{id}",le="+Inf", name="o\\"o"} 1\n')
    assert dict(entry.label_values) == {"path": "/x,{id}", "le": "+Inf", "name": '"'.join(["o\\", "o"])}
    assert dict(next(series_of("a 1\n")).label_values) == {}


@pytest.mark.parametrize(
    "value", ["NaN", "+Inf", "-Inf", "inf", "1e999", "-1", "1_000", "٣", "0x10", "one", "1,5", "", "1e", "9" * 400]
)
def test_what_is_no_finite_number_has_no_value(value: str) -> None:
    """The line is there, so that a sum over a metric's series can be withheld."""
    assert [entry.value for entry in series_of(f"a {value}\nb 1")] in ([None, 1.0], [1.0])


def test_garbage_costs_neither_time_nor_an_error() -> None:
    """Lines of any length and any bytes."""
    begin = time.monotonic()
    pages = ["a{" * 1_000_000, "} " * 1_000_000, "\x00\x1b[31m 1\n" * 100_000, ("a{" + "} \t" * 600 + "\x00\n") * 1000]
    assert [entry.value for page in pages for entry in series_of(page) if entry.value is not None] == []
    assert time.monotonic() - begin < 5


def test_only_harmless_labels_may_stand_in_a_name() -> None:
    """No markup, no control characters, no novels."""
    page = 'a{x="y 1"} 1\na{x="<b>"} 1\na{x="\x1b"} 1\na{x="' + "y" * 200 + '"} 1\na 1'
    assert [entry.is_plain for entry in series_of(page)] == [True, False, False, False, True]
