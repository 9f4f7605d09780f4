"""What robots.txt asks of us."""

from __future__ import annotations

import pytest

from monitor.robots import address, allows

URL = "https://harbour-daily.example:8443/feeds/local.xml?lang=zh"


def test_the_file_lies_at_the_root_of_the_host() -> None:
    """Scheme and port kept, path and query gone."""
    assert address(URL) == "https://harbour-daily.example:8443/robots.txt"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("", True),
        ("User-agent: *\nDisallow: /private/", True),
        ("User-agent: *\nDisallow: /feeds/", False),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: pollwatch\nAllow: /", True),
        ("User-agent: PollWatch\nDisallow: /", False),
        ("User-agent: other\nDisallow: /", True),
        ("\ufeffUser-agent: *\r\nDisallow: /\r\n", False),
        ("<!DOCTYPE html><html>404</html>", True),
        ("\x00\x1b[31m" * 100, True),
    ],
)
def test_a_rule_for_us_or_for_everybody_is_honoured(rules: str, expected: bool) -> None:
    """Ours comes before everybody's; a file that is no robots.txt asks for nothing."""
    assert allows(rules.encode(), URL) is expected


def test_an_endless_file_is_read_to_its_limit() -> None:
    """A rule beyond half a megabyte is no rule; neither bytes nor lines cost more than their length."""
    assert allows(b"# x\n" * 150_000 + b"User-agent: *\nDisallow: /", URL)
    assert allows(bytes(range(256)) * 2_000, URL)
