"""Charts as PNG for mails, whose readers show no SVG. The only user of resvg.

Drawn with the font of the image cards and no other, so that a chart is the same on every server.
"""

from __future__ import annotations

from pathlib import Path

import resvg_py

from alerts.card import find_faces

SCALE = 2.0  # pixels to a unit: sharp on a telephone


class Rasteriser:
    """Draws with the font that is named, else one that fontconfig finds. Raises InputError when there is none."""

    def __init__(self, font: Path | None) -> None:
        self._face = find_faces(font).regular

    def png(self, svg: str, ground: str) -> bytes:
        """The picture on a ground of this colour: a mail program may put any behind it."""
        return resvg_py.svg_to_bytes(
            svg_string=svg,
            background=ground,
            zoom=SCALE,
            skip_system_fonts=True,
            font_files=[self._face.file],
            sans_serif_family=self._face.family,
        )
