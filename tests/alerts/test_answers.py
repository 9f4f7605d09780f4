"""Ready answers: the short text and the picture of what two people published."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from alerts import answers, card
from alerts.card import Card, Faces, draw, find_faces
from alerts.cli import cli
from monitor.errors import InputError, RefusedError
from monitor.store import Store
from monitor.types import Lang, Verdict
from tests.alerts.clarifying import RUMOUR, Desk, publishing

CARD = Card(
    publishers=("Jade Bay Response Team", "翠灣應變小組"),
    labels=("澄清", "Clarification"),
    titles=("票站於晚上十時三十分關閉", "Polling stations close at 10.30 pm"),
    verdicts=("有關說法：不實", "The claim: False"),
    tone="#b3261e",
    address="https://clarify.example/zh-Hant/2027-03-01-1.html",
)


@pytest.fixture
def desk(store: Store, folder: Path, now: Any) -> Desk:
    return Desk(store, publishing(folder), now)


@pytest.fixture
def faces() -> Faces:
    """What is installed here."""
    try:
        return find_faces(None)
    except InputError as error:
        pytest.skip(str(error))


def _image(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def _ink(image: Image.Image, box: tuple[int, int, int, int]) -> bool:
    """Whether something dark is drawn in a part of it."""
    darkest, _ = image.crop(box).convert("L").getextrema()
    return bool(darkest < 100)  # type: ignore[operator]  # one band: two numbers


def test_a_text_says_what_is_so_and_does_not_spread_the_claim(desk: Desk) -> None:
    """Title, fact with its source, what the claim is, the address; each language alone or both. Of the public text."""
    id = desk.published(verdict=Verdict.MISLEADING)
    told = answers.message(desk.store, desk.settings, id)
    for words in (
        "Clarification: Voting procedure: the facts\nPolling stations close at 22:30 on polling day. (Source: ",
        "The claim: Misleading\nhttps://clarify.example/en/2027-03-01-",
        "\n\n【澄清】投票程序：事實澄清\n票站於投票日 22:30 關閉。",
        "有關說法：誤導\nhttps://clarify.example/zh-Hant/2027-03-01-",
    ):
        assert words in told
    assert RUMOUR not in told
    desk.edit(id, lambda text: text.replace("the facts", "something else"))
    assert answers.message(desk.store, desk.settings, id) == told
    assert "澄清" not in answers.message(desk.store, desk.settings, id, Lang.EN)
    output = CliRunner().invoke(cli, ["-c", desk.settings.file, "clarifications", "text", str(id)]).stdout
    assert output.strip() == told


def test_only_what_is_public_is_answered_with(desk: Desk) -> None:
    """Neither a draft, nor what is approved, nor what was withdrawn."""
    id = desk.draft(desk.decided())

    def refused() -> bool:
        with pytest.raises(RefusedError) as caught:
            answers.message(desk.store, desk.settings, id)
        with pytest.raises(RefusedError):
            answers.picture(desk.store, desk.settings, id)
        return caught.value.reason == "not-public"

    assert refused()
    desk.approve(id)
    assert refused()
    desk.publish()
    desk.withdraw(id)
    desk.approve(id)
    desk.publish()
    assert refused()


@pytest.mark.font
def test_a_card_of_what_is_public(desk: Desk, faces: Faces, tmp_path: Path) -> None:
    """1200 by 630, with titles above and the verdict on the claim below, in its colour."""
    id, out = desk.published(verdict=Verdict.UNPROVEN), tmp_path / "card.png"
    words = ["-c", desk.settings.file, "clarifications", "card", str(id), "--out"]
    assert CliRunner().invoke(cli, [*words, str(out)]).exit_code == 0
    image = _image(out.read_bytes())
    assert image.size == (1200, 630)
    assert image.getpixel((5, 600)) == (0x8A, 0x52, 0x00)
    assert _ink(image, (64, 180, 1136, 240))
    lost = CliRunner().invoke(cli, [*words, str(tmp_path / "none" / "card.png")])
    assert "cannot be written" in str(lost.exception)


@pytest.mark.parametrize(
    "title", ["選" * 3000, "W" * 3000, "word " * 600, "選 W" * 900, "，" * 300, "A"], ids=lambda title: title[:4]
)
@pytest.mark.font
def test_whatever_the_title_it_stays_in_its_place(faces: Faces, title: str) -> None:
    """Shrunk, broken where the language allows, cut at last: never over the edge, nor into what stands below."""
    image = _image(draw(Card(CARD.publishers, CARD.labels, (title, title), ("",), CARD.tone, ""), faces))
    assert _ink(image, (64, 150, 1136, 480))
    for empty in ((1140, 100, 1200, 630), (30, 100, 60, 630), (64, 515, 1140, 630)):
        assert not _ink(image, empty), f"something in {empty}"


@pytest.mark.font
def test_both_titles_are_seen(faces: Faces) -> None:
    """However long the first is, the second has its room."""
    long = "投票站不會提早關閉亦不會更改地點" * 20
    one = _image(draw(Card(CARD.publishers, CARD.labels, (long, ""), CARD.verdicts, CARD.tone, ""), faces))
    both = _image(draw(Card(CARD.publishers, CARD.labels, (long, "Open"), CARD.verdicts, CARD.tone, ""), faces))
    assert one.tobytes() != both.tobytes()


@pytest.mark.font
def test_without_a_font_a_sentence_says_what_to_install(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faces: Faces
) -> None:
    """No fontconfig, a named file that is missing or no font, and a character that the font does not have."""
    monkeypatch.setenv("PATH", str(tmp_path))
    card._installed.cache_clear()
    with pytest.raises(
        InputError, match=r"no font with the characters of Hong Kong; install one \(Debian: fonts-noto-cjk"
    ):
        find_faces(None)
    card._installed.cache_clear()
    with pytest.raises(InputError, match="there is no font"):
        find_faces(tmp_path / "none.ttf")
    (tmp_path / "text.ttf").write_text("no font", encoding="utf-8")
    with pytest.raises(InputError, match="is no font that can be read"):
        draw(CARD, find_faces(tmp_path / "text.ttf"))
    with pytest.raises(InputError, match="has no 𝓐"):
        draw(Card(CARD.publishers, CARD.labels, ("𝓐 選舉",), CARD.verdicts, CARD.tone, ""), faces)
