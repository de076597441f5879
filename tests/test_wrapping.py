"""What a person reads is broken at words to the terminal's width, and only there."""

import os

import pytest

from credproc.commands.ui.times import format_time, format_until
from credproc.commands.ui.wrap import terminal_columns, wrapped

LINE = "  1. take the keys AKIAIOSFODNN7EXAMPLE of profile 'user1'"


@pytest.mark.parametrize("width", [None, 39, len(LINE), 1000])
def test_a_line_stays_whole_without_a_terminal_in_a_narrow_one_and_where_it_fits(width: int | None) -> None:
    assert wrapped(LINE, width, 5) == [LINE]


def test_a_line_that_is_too_long_by_one_is_broken_at_a_word_with_the_rest_below() -> None:
    first, rest = "  1. take the keys AKIAIOSFODNN7EXAMPLE of profile", "     'user1'"
    assert wrapped(LINE, len(LINE) - 1, 5) == [first, rest]


def test_a_word_is_never_broken() -> None:
    arn = "arn:aws:iam::123456789012:role/a-role-of-a-long-name"
    assert wrapped(f"assume {arn}", 40, 2) == ["assume", f"  {arn}"]


def test_what_is_measured_is_what_is_shown() -> None:
    assert wrapped("\x1b" * 12, 40, 2) == ["\\x1b" * 12]
    assert wrapped("a\nb \x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b c", 40, 2) == ["a b " + "\\x1b" * 9, "  c"]


def test_what_is_no_terminal_has_no_width() -> None:
    reader, writer = os.pipe()
    try:
        assert terminal_columns(writer) is None
    finally:
        os.close(reader)
        os.close(writer)


def test_the_day_is_said_where_it_is_another() -> None:
    assert format_time(86399, 0) == "23:59Z"
    assert format_time(86400, 0) == "1970-01-02 00:00Z"
    assert format_time(86399) == "1970-01-01 23:59Z"
    assert format_until(59, 0) == "until 00:00Z (in less than a minute)"
    assert format_until(90000, 0) == "until 1970-01-02 01:00Z (in 1 d 1 h)"
