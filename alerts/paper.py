"""A letter as PDF, set by Typst. The only user of Typst, which is installed with the extra ``pdf``.

Typst, because it sets Chinese as print does, makes a tagged PDF, draws the charts' SVG as it is, and comes as one wheel
that needs no library of the system and no root. It is large, so who attaches no PDF need not have it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alerts.card import find_faces
from alerts.letter import Letter
from monitor.errors import InputError

MEND = 'install it with `pip install typst`, or take "pdf" out of digest.attach'


def check() -> None:
    """Whether a PDF can be made. Raises InputError with the mend."""
    if find_spec("typst") is None:
        raise InputError("typst", f"is not installed: {MEND}")


def as_pdf(letter: Letter, font: Path | None) -> bytes:
    """A4, in the font that is named, else one that fontconfig finds. Raises InputError without font or Typst."""
    check()
    import typst

    face = find_faces(font).regular
    data = {"letter": json.dumps(_plain(letter)), "font": face.family, "lang": letter.lang[:2]}
    with resources.as_file(resources.files("alerts").joinpath("templates/digest.typ")) as template:
        made: bytes = typst.compile(
            str(template),
            font_paths=[str(Path(face.file).parent)],
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs=data,
        )
    return made


def _plain(letter: Letter) -> dict[str, Any]:
    """For JSON; each block with the name of its kind."""
    plain = asdict(letter)
    for name in ("front", "annex"):
        plain[name] = [
            {
                "heading": section.heading,
                "blocks": [{"kind": block.kind, **asdict(block)} for block in section.blocks],
            }
            for section in getattr(letter, name)
        ]
    return plain
