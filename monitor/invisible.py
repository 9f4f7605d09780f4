"""Characters that nobody sees and machines obey: what may not pass from a feed to a screen, a file or a header."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and newline, soft hyphen, zero-width and bidi controls, variation selectors, surrogates,
# byte order mark, interlinear annotation, noncharacters, tags.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\ufff9-\ufffc\ufffe\uffff\U000e0000-\U000e0fff]"
)
_LINE = re.compile("[\t\n\u2028\u2029]")


def safe(text: str) -> str:
    """One line that cannot steer a terminal, turn its direction or hide a word."""
    return _LINE.sub(" ", INVISIBLE.sub("", text))
