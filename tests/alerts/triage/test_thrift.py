"""The desk over a slow line: what is sent shows the same as all that was drawn, and is little."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.dispatch import dispatch
from alerts.triage.thrift import Thrift
from monitor.config import Settings
from monitor.store import Store
from tests.alerts.rows import add_incident
from tests.alerts.triage.terminal import Terminal, terminal

SIZE = (12, 4)
STYLES = ("0", "38;2;1;2;3;48;2;9;9;9", "38;2;7;2;3;48;2;9;9;9", "1;38;2;1;2;3;48;2;9;9;9", "7;48;2;0;0;9", "4;31;44")
STYLES += ("1;3;38;2;1;2;3;48;2;9;9;9", "4;9;38;5;2;48;2;9;9;9", "7;1;97;48;2;9;9;9", "1;7;48;2;9;9;9;97", "3;9;31")


def shown(sent: str) -> list[list[object]]:
    """What a terminal shows; of a blank only what is seen of it. The last is where the cursor is."""
    screen = pyte.Screen(*SIZE)
    pyte.ByteStream(screen).feed(sent.encode())
    rows: list[list[object]] = []
    for line in range(SIZE[1]):
        cells = [screen.buffer[line][column] for column in range(SIZE[0])]
        plain = [cell.data == " " and not (cell.reverse or cell.underscore) for cell in cells]
        rows.append([cell.bg if blank else cell for cell, blank in zip(cells, plain, strict=True)])
    return [*rows, [min(screen.cursor.x, SIZE[0] - 1), screen.cursor.y]]


def moved(column: int, line: int) -> str:
    return f"\x1b[{line + 1};{column + 1}H"


pieces = st.tuples(
    st.integers(0, SIZE[0] - 1),
    st.integers(0, SIZE[1] - 1),
    st.sampled_from(STYLES),
    st.text("ab  投票é", min_size=1, max_size=6),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(pieces, min_size=1, max_size=4), max_size=6))
def test_what_is_sent_shows_the_same(frames: list[list[tuple[int, int, str, str]]]) -> None:
    """Of any pieces in any order, wide characters drawn over by halves among them, in one frame or in many."""
    thrift = Thrift()
    blank = "".join(f"{moved(0, line)}\x1b[{STYLES[1]}m{' ' * SIZE[0]}\x1b[0m" for line in range(SIZE[1]))
    drawn, sent = blank, thrift.spare(blank, SIZE)
    for frame in frames:
        data = ""
        for column, line, style, words in frame:
            cells = sum(2 if char in "投票" else 1 for char in words)
            if column + cells <= SIZE[0]:
                data += f"{moved(column, line)}\x1b[{style}m{words}\x1b[0m"
        data += moved(3, 2)
        drawn += data
        sent += thrift.spare(data, SIZE)
    if frames:
        assert shown(sent)[-1] == shown(drawn)[-1]
    assert _halves(drawn) or shown(sent)[:-1] == shown(drawn)[:-1]


def _halves(drawn: str) -> bool:
    """Whether a wide character was drawn over in part: terminals differ about what is left of it."""
    screen = pyte.Screen(*SIZE)
    pyte.ByteStream(screen).feed(drawn.encode())
    for line in range(SIZE[1]):
        data = [screen.buffer[line][column].data for column in range(SIZE[0])]
        for column, char in enumerate(data):
            wide = char in "投票" and char
            if wide and (column + 1 == SIZE[0] or data[column + 1]):
                return True
            if not char and (column == 0 or data[column - 1] not in ("投", "票")):
                return True
    return False


def test_nothing_is_sent_twice() -> None:
    """The same again is nothing, nor another colour of a blank; a character is few bytes, a forgotten screen all."""
    thrift = Thrift()
    line = f"{moved(0, 1)}\x1b[{STYLES[1]}mab 投票\x1b[0m{moved(0, 0)}"
    first = thrift.spare(line, SIZE)
    assert "ab 投票" in first
    assert thrift.spare(line, SIZE) == ""
    assert thrift.spare(f"{moved(2, 1)}\x1b[{STYLES[2]}m \x1b[0m{moved(0, 0)}", SIZE) == ""
    one = thrift.spare(f"{moved(0, 1)}\x1b[{STYLES[1]}mac 投票\x1b[0m{moved(0, 0)}", SIZE)
    assert one == f"{moved(1, 1)}c{moved(0, 0)}"
    thrift.forget()
    assert thrift.spare(line, SIZE) == first
    assert thrift.spare("\x1b[?1049h", SIZE) == "\x1b[?1049h"
    assert thrift.spare(line, SIZE) == first
    assert thrift.spare(line, (20, 4)) == first


def test_what_is_no_cell_goes_through() -> None:
    """The clipboard, the title, modes; in their place."""
    thrift = Thrift()
    for words in ("\x1b]52;c;YQ==\x07", "\x1b]2;t\x1b\\", "\x1b[?25l", "\x1b[?2026h", "\x07"):
        assert thrift.spare(words, SIZE) == words
    assert thrift.spare(f"\x1b[?2026h{moved(0, 0)}a\x1b[?2026l", SIZE).count("\x1b[?2026") == 2


def test_what_lies_outside_is_not_drawn() -> None:
    """While a terminal is made smaller, frames of the old size still come."""
    thrift = Thrift()
    assert "lost" not in thrift.spare(f"{moved(0, 9)}lost", SIZE)
    assert "票" not in thrift.spare(f"{moved(11, 0)}票", SIZE)
    assert thrift.spare(f"{moved(10, 0)}abc", SIZE).count("c") == 0


def test_a_desk_at_rest_sends_nothing_and_a_key_little(store: Store, settings: Settings) -> None:
    """Over 9,600 baud a key is answered: a line is under 2 kB, a dialog some more; time alone is nothing."""
    now = datetime.now(UTC)
    for number in range(30):
        add_incident(store, now, title=f"The pier is closed, says leaflet {number} 碼頭", score=0.5, matches=[])
    dispatch(store, settings, now)
    with terminal(settings, "maya", (120, 40)) as maya:
        maya.sees("of 30 alerts")
        assert len(_rest(maya)) < 50_000
        assert len(_rest(maya, at_least_s=2.5)) < 400  # a minute may begin
        for keys, most in ((("down", "up"), 2_000), (("f", "escape"), 16_000), (("enter", "escape"), 40_000)):
            for key in keys:
                assert len(_answer(maya, key)) < most, key
        before = maya.text
        assert len(_answer(maya, "\x0c")) > 5_000
        assert maya.text == before


def _answer(desk: Terminal, key: str) -> bytes:
    """What is sent after a key."""
    desk.written = b""
    desk.press(key)
    desk.until(lambda: desk.written, key)
    return _rest(desk)


def _rest(desk: Terminal, at_least_s: float = 0.0) -> bytes:
    """What is sent until it is quiet; from then on it is counted anew."""
    start = time.monotonic()
    while desk.read(0.6) or time.monotonic() - start < at_least_s:
        continue
    found, desk.written = desk.written, b""
    return found
