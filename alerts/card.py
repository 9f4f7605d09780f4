"""A clarification as a picture for messengers and social media: 1200 by 630 pixels, both languages. Pure but for fonts.

Drawn with a font that has the characters of Hong Kong: the one of the settings, else one that fontconfig finds.
"""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from monitor.errors import InputError
from monitor.text import HAN, shorten

WIDTH, HEIGHT = 1200, 630
_MARGIN, _BAR = 64, 84
_INK, _SOFT, _GROUND, _DARK, _BLUE = "#0b0c0c", "#505a5f", "#ffffff", "#0b0c0c", "#1d70b8"
_MEND = "install one (Debian: fonts-noto-cjk) or name its file in publish.font"
_PREFERRED = ("Noto Sans CJK HK", "Noto Sans HK", "Noto Sans CJK TC", "Noto Sans TC")
_REGULAR, _BOLD = 80, 200  # fontconfig's weights
_LISTED = re.compile(r"(?P<file>.+)\|(?P<index>\d+)\|\[?(?P<weight>[\d.]+)[^|]*\|(?P<family>.*)")
_LONGEST = 200  # characters of a line: more are cut before they are measured


@dataclass(frozen=True, slots=True)
class Face:
    """One font of a file that may hold several."""

    file: str
    index: int = 0

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """Ready to draw with. Raises InputError when the file is no font."""
        try:
            return ImageFont.truetype(self.file, size, index=self.index)
        except OSError as error:
            raise InputError(self.file, f"is no font that can be read; {_MEND}") from error

    @property
    def family(self) -> str:
        """Its name among others of its file. Raises InputError as ``at``."""
        return self.at(10).getname()[0] or ""


@dataclass(frozen=True, slots=True)
class Faces:
    """For text, and for what stands out."""

    regular: Face
    bold: Face


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on it, in each language: who says it, that it is a clarification, what is so, and what the claim is.

    The verdict stands apart from the title, and names the claim: or what is so would be read as false.
    """

    publishers: Sequence[str]
    labels: Sequence[str]
    titles: Sequence[str]
    verdicts: Sequence[str]
    tone: str  # the colour of the verdict, #rrggbb
    address: str


def find_faces(named: Path | None) -> Faces:
    """The fonts to draw with. Raises InputError with the mend when there is none."""
    if named is not None:
        if not named.is_file():
            raise InputError(str(named), f"there is no font; {_MEND}")
        return Faces(Face(str(named)), Face(str(named)))
    return _installed()


def draw(card: Card, faces: Faces) -> bytes:
    """The picture as PNG. Raises InputError for a character that the font does not have."""
    card = replace(card, titles=[shorten(title, _LONGEST) for title in card.titles])
    for face in dict.fromkeys((faces.regular, faces.bold)):
        _require_characters(card, face)
    image = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((0, 0, WIDTH, _BAR), fill=_DARK)
    canvas.rectangle((0, _BAR, WIDTH, _BAR + 10), fill=_BLUE)
    left, right = card.publishers[0], card.publishers[-1]
    small = faces.bold.at(30)
    canvas.text((_MARGIN, _BAR / 2), _cut(left, small, WIDTH / 2 - _MARGIN), fill="#ffffff", font=small, anchor="lm")
    if right != left:
        words = _cut(right, small, WIDTH / 2 - _MARGIN)
        canvas.text((WIDTH - _MARGIN, _BAR / 2), words, fill="#ffffff", font=small, anchor="rm")
    top = _BAR + 10 + 34.0
    canvas.text((_MARGIN, top + 34), "  ".join(card.labels), fill=_BLUE, font=faces.bold.at(34), anchor="ls")
    top += 34 + 26
    foot = HEIGHT - 142
    for number, title in enumerate(card.titles):
        room = foot - top - (0 if number else 110)  # the second language has its room as well
        top = _paragraph(canvas, title, faces.bold, top, room) + 16
    canvas.rectangle((0, foot + 14, 22, HEIGHT), fill=card.tone)
    verdict = _cut("  ".join(card.verdicts), faces.bold.at(38), WIDTH - 2 * _MARGIN)
    canvas.text((_MARGIN, HEIGHT - 78), verdict, fill=card.tone, font=faces.bold.at(38), anchor="ls")
    address = _cut(card.address.removeprefix("https://"), faces.regular.at(26), WIDTH - 2 * _MARGIN)
    canvas.text((_MARGIN, HEIGHT - 30), address, fill=_SOFT, font=faces.regular.at(26), anchor="ls")
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _paragraph(canvas: ImageDraw.ImageDraw, text: str, face: Face, top: float, room: float) -> float:
    """Draw a text in the largest size at which it fits, cut in the smallest; returns where it ends."""
    for size in (50, 44, 38, 34):
        font, step = face.at(size), size * 1.3
        lines = list(_lines(text, font, WIDTH - 2 * _MARGIN))
        fitting = max(1, int(room // step))
        if len(lines) <= fitting:
            break
    else:
        lines = [*lines[: fitting - 1], _cut(f"{lines[fitting - 1]}…", font, WIDTH - 2 * _MARGIN)]
    for line in lines:
        canvas.text((_MARGIN, top + size), line, fill=_INK, font=font, anchor="ls")
        top += step
    return top


def _lines(text: str, font: ImageFont.FreeTypeFont, width: float) -> Iterator[str]:
    """The text broken where its language allows: between words, and between any two Han characters."""
    line = ""
    for piece in _pieces(text):
        if line and font.getlength((line + piece).rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece
        while font.getlength(line.rstrip()) > width:  # a word longer than a line
            fitting = next(n for n in range(len(line), 0, -1) if font.getlength(line[:n]) <= width)
            yield line[:fitting]
            line = line[fitting:]
    if line.strip():
        yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """What stays together on a line: a word with the space behind it, a Han character with the signs behind it."""
    piece = ""
    for char in text:
        closes = char in "，。！？：；、」』）,.!?:;)"
        if piece and not closes and (HAN.match(char) or HAN.match(piece[-1]) or piece[-1] in " ，。！？：；、」』）"):
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece


def _cut(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _require_characters(card: Card, face: Face) -> None:
    """A box instead of a character would be worse than no card."""
    font = face.at(40)
    blank = bytes(font.getmask("\U0010fffd"))
    words = "".join((*card.publishers, *card.labels, *card.titles, *card.verdicts, card.address))
    missing = sorted({char for char in words if not char.isspace() and bytes(font.getmask(char)) == blank})
    if missing:
        raise InputError(face.file, f"has no {' '.join(missing[:10])}; {_MEND}")


@cache
def _installed() -> Faces:
    command = ["fc-list", ":lang=zh-hk", "--format", "%{file}|%{index}|%{weight}|%{family[0]}\n"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout  # noqa: S603 - fixed words, found as the system finds them
    except (OSError, subprocess.SubprocessError):
        listed = ""
    found = [match for line in listed.splitlines() if (match := _LISTED.fullmatch(line))]
    # The index of a variable font names a variant as well, which Pillow does not want to know.
    faces = [(each["family"], float(each["weight"]), Face(each["file"], int(each["index"]) & 0xFFFF)) for each in found]
    if not faces:
        raise InputError("fontconfig", f"knows no font with the characters of Hong Kong; {_MEND}")
    return Faces(_nearest(faces, _REGULAR), _nearest(faces, _BOLD))


def _nearest(faces: Sequence[tuple[str, float, Face]], weight: float) -> Face:
    def rank(each: tuple[str, float, Face]) -> tuple[int, float, str]:
        family, its, face = each
        known = _PREFERRED.index(family) if family in _PREFERRED else len(_PREFERRED)
        return known, abs(its - weight), face.file

    return min(faces, key=rank)[2]
