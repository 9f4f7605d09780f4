"""Near-copies in any script, width and punctuation."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import neardup

RAIL_EN = (
    "Perry Man Pui-lam has withdrawn from Kingfisher Point; posters already coming down\nThe candidate left after a "
    "family meeting on Tuesday night, and volunteers were seen peeling his posters off the railings by the fish market."
)
FERRY_ZH = (
    "月升島兩個票站證實不會開放，原因是島上供電設施損毀。五千多名島民要自行乘船前往翠鳥角社區會堂投票，"
    "過海船費不獲發還，行動不便者只能放棄。"
)
FERRY_HANS = (
    "月升岛两个票站证实不会开放，原因是岛上供电设施损毁。五千多名岛民要自行乘船前往翠鸟角社区会堂投票，"
    "过海船费不获发还，行动不便者只能放弃。"
)


PINNED = (7364426701163203395, 6608084073389390297)


def near(a: str, b: str) -> bool:
    one, other = neardup.signature(a), neardup.signature(b)
    together = neardup.similarity(one, other) >= neardup.threshold(one, other)
    assert not together or set(neardup.bands(one)) & set(neardup.bands(other)), "a near-copy that no band would find"
    return together


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        (RAIL_EN, RAIL_EN.replace("; posters", ", posters").replace("were seen", "have been seen")),
        (RAIL_EN, RAIL_EN.upper().replace(". ", " ! ")),
        (RAIL_EN, RAIL_EN.replace("down\n", "down - Harbour Daily\n")),
        (RAIL_EN, RAIL_EN + " https://harbour.example/a?b=1"),
        (RAIL_EN, "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in RAIL_EN)),
        (FERRY_ZH, FERRY_HANS),
        (FERRY_ZH, FERRY_ZH.replace("，", ",").replace("。", "．")),
        (FERRY_ZH, "【本報訊】" + FERRY_ZH.replace("損毀", "損壞").replace("只能放棄", "唯有放棄")),
        (FERRY_ZH, FERRY_HANS.replace("五千多名", "５０００多名")),
        ("文沛霖已退選，海報正拆除", "文沛霖已退选 海报正拆除！"),
    ],
)
def test_copies_are_near(text: str, copy: str) -> None:
    """A few words, punctuation, capitals, width, script, a byline or a link do not part a copy from its original."""
    assert near(text, copy)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (RAIL_EN, "Perry Man Pui-lam sets out plan for a night ferry from Kingfisher Point\nThe candidate said so."),
        (FERRY_ZH, "月升島兩個票站將如期開放\n選舉事務署回應查詢時表示，兩個投票站會在投票日上午八時三十分如期開放。"),
        ("池曉嵐編號改為2號", "池曉嵐編號改為6號"),
        ("卓望晴退選", "戚啟航退選"),
        ("Polls close at 8 pm", "Polls close at 6 pm"),
        ("", ""),
        ("…！", "…！"),
    ],
)
def test_other_stories_are_not(text: str, other: str) -> None:
    """The same names in another story, one changed word in a very short text, and texts without words stay apart."""
    assert not near(text, other)


def test_signature_is_the_same_in_every_process() -> None:
    """Stored signatures are compared with those of later processes: nothing of the process may enter them."""
    program = (
        "import sys; from classifiers import neardup as n; s = n.signature(sys.argv[1]); print(s.hex(), *n.bands(s))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program, FERRY_ZH],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    own = neardup.signature(FERRY_ZH)
    assert answers == {" ".join(map(str, (own.hex(), *neardup.bands(own)))) + "\n"}


def test_signature_does_not_change_between_releases() -> None:
    """A store keeps signatures for years: this one was written by the first release."""
    assert neardup.bands(neardup.signature("Polls close early, neighbours"))[:2] == PINNED


@given(st.text(max_size=300))
def test_any_text_has_a_signature(text: str) -> None:
    """No text breaks it; bands fit a signed 64-bit column; every text with words is its own copy."""
    own = neardup.signature(text)
    assert len(own) == neardup.PERMUTATIONS * 4 + 4
    assert all(0 <= band < 2**63 for band in neardup.bands(own))
    assert neardup.similarity(own, own) == (1.0 if neardup.bands(own) else 0.0)
