"""Bodies of any size and compression: what can be read is, within the limits."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from monitor.bodies import RATIO_FROM
from monitor.errors import FeedErrorKind
from tests.fakes import FeedServer, gzip_bomb, item, pack, rss
from tests.monitor.fetching import error_of, get


def test_a_body_over_the_limit_is_dropped_early(server: FeedServer) -> None:
    """A claimed 200 MB is refused unread; an endless body is cut at the limit."""
    claimed = server.put("/claimed", "x", content_length=200_000_000)
    assert error_of(claimed).kind == FeedErrorKind.TOO_LARGE
    endless = server.put("/endless", b" " * 65_536, endless=True)
    assert error_of(endless, max_bytes=1_000_000).kind == FeedErrorKind.TOO_LARGE


def test_a_compressed_body_is_read_and_a_bomb_is_not(server: FeedServer) -> None:
    """gzip is transparent; what would unpack to 300 MB ends at the limit."""
    plain = server.put("/gz", gzip.compress(b"feed"), headers={"Content-Encoding": "gzip"})
    assert get(plain).body == b"feed"
    bomb = server.put("/bomb", gzip_bomb(300_000_000), headers={"Content-Encoding": "gzip"})
    assert error_of(bomb).kind == FeedErrorKind.TOO_LARGE


_EIGHT_AT_ONCE = """
import asyncio, sys
from pathlib import Path
from monitor.sections import Fetch
from monitor.fetch import Fetcher

async def main(url):
    async with Fetcher(Fetch(allow_private=("127.0.0.0/8",), max_bytes=10_000_000)) as fetcher:
        return await asyncio.gather(*(fetcher.get(url) for _ in range(8)), return_exceptions=True)

print(*{error.kind for error in asyncio.run(main(sys.argv[1]))})
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_bombs_do_not_fill_the_memory(server: FeedServer, encoding: str) -> None:
    """Eight bombs of 300 MB at once cost little more than eight bodies at the limit of 10 MB."""
    bomb = server.put("/bomb", pack(b" " * 300_000_000, encoding), headers={"Content-Encoding": encoding})
    # A process of its own: in ours the making of the bomb would set the peak.
    done = subprocess.run([sys.executable, "-c", _EIGHT_AT_ONCE, bomb], capture_output=True, text=True, check=True)
    kinds, peak_kb = done.stdout.splitlines()
    assert kinds == FeedErrorKind.TOO_LARGE
    assert int(peak_kb) < 250_000  # about 50 MB of it are Python and aiohttp


def test_a_broken_body_is_an_error(server: FeedServer) -> None:
    """Fewer bytes than promised; a compressed file that breaks off, or is none after its first bytes."""
    short = server.put("/short", b"half", content_length=1_000)
    assert error_of(short).kind == FeedErrorKind.HTTP
    half = pack(b"feed" * 500, "gzip")[:-9]
    assert "without its end" in error_of(server.put("/half", half)).detail
    assert "badly compressed" in error_of(server.put("/none", b"\x1f\x8b no more of it")).detail


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw-deflate", "br", "zstd"])
def test_every_compression_that_is_offered_is_read(server: FeedServer, encoding: str) -> None:
    """What Accept-Encoding names is unpacked, deflate in both of its readings."""
    label = encoding.removeprefix("raw-")
    url = server.put("/a", pack("海港日報".encode() * 1_000, encoding), headers={"Content-Encoding": label})
    assert get(url).body == "海港日報".encode() * 1_000
    assert label in server.requests[0][1]["Accept-Encoding"].split(", ")


@pytest.mark.parametrize("label", ["gzip", "deflate", "br", "zstd", "x-unheard-of", "UTF-8"])
def test_a_body_that_is_not_compressed_as_it_says_is_taken_as_it_is(server: FeedServer, label: str) -> None:
    """Some servers label plain text; it is asked for once more, plainly, and read."""
    url = server.put("/a", b"<rss>plain</rss>", headers={"Content-Encoding": label})
    assert get(url).body == b"<rss>plain</rss>"
    assert len(server.requests) <= 2


@pytest.mark.parametrize("label", [{}, {"Content-Encoding": "br"}, {"Content-Encoding": "x-gzip"}])
def test_a_compressed_file_is_unpacked_whatever_its_label(server: FeedServer, label: dict[str, str]) -> None:
    """`feed.xml.gz`, served as a file or under another name; within the same limits."""
    assert get(server.put("/a.gz", pack(b"<rss/>", "gzip"), headers=label)).body == b"<rss/>"
    bomb = server.put("/bomb.gz", gzip_bomb(30_000_000), headers=label)
    assert error_of(bomb).kind == FeedErrorKind.TOO_LARGE
    small = server.put("/small.gz", gzip_bomb(50_000), headers=label)
    assert error_of(small, max_bytes=20_000).kind == FeedErrorKind.TOO_LARGE


@pytest.mark.parametrize("tail", [b"", b"\0" * 600, b"what some tape added"])
def test_a_compressed_file_is_read_to_its_last_member(server: FeedServer, tail: bytes) -> None:
    """A .gz file may be several joined ones; what follows the last and is none is left aside, as gzip leaves it."""
    first, second = "<rss>渡輪".encode(), "新聞</rss>".encode()
    joined = pack(first, "gzip") + pack(b"", "gzip") + pack(second, "gzip")
    assert get(server.put("/a.gz", joined + tail)).body == first + second
    long = [Random(number).randbytes(100_000) for number in range(5)]
    url = server.put("/long.gz", b"".join(pack(part, "gzip") for part in long) + tail)
    assert get(url).body == b"".join(long)


def test_members_of_a_compressed_file_are_held_to_the_same_limits(server: FeedServer) -> None:
    """However the text is divided; and nobody serves a feed in hundreds of thousands of parts."""
    parts = pack(b" " * 9_000, "gzip") * 4
    assert error_of(server.put("/large.gz", parts), max_bytes=30_000).kind == FeedErrorKind.TOO_LARGE
    assert "parts" in error_of(server.put("/many.gz", pack(b"", "gzip") * 400_000)).detail
    whole = pack(b"<rss/>", "gzip")
    assert "without its end" in error_of(server.put("/half.gz", whole + whole[:-9])).detail
    assert "badly compressed" in error_of(server.put("/none.gz", whole + b"\x1f\x8b no more of it")).detail


def test_what_swells_far_beyond_its_size_is_refused(server: FeedServer) -> None:
    """Below the size limit, yet hundreds of times what came over the wire: no feed does that."""
    bomb = server.put("/bomb", gzip_bomb(3_000_000), headers={"Content-Encoding": "gzip"})
    assert "times its size" in error_of(bomb).detail
    feed = pack(rss(*(item(f"第{n}則消息", f"{n * n}", guid=str(n)) for n in range(20_000))).encode(), "gzip")
    assert len(get(server.put("/large", feed, headers={"Content-Encoding": "gzip"})).body) > RATIO_FROM
