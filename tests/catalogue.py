"""The catalogue of the other language: what is marked in the code, and what of it is translated.

`python -m tests.catalogue` adds what is missing to the .po file, untranslated, and compiles the .mo beside it. Nothing
is ever taken out: of a sentence that was reworded, rows of earlier programs still ask for the earlier form.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from monitor.language import CATALOGUES, DOMAIN

ROOT = Path(__file__).parent.parent
FOLDER = CATALOGUES / "zh_Hant" / "LC_MESSAGES"
PO, MO = FOLDER / f"{DOMAIN}.po", FOLDER / f"{DOMAIN}.mo"
KEYWORDS = {**DEFAULT_KEYWORDS, "Said": None}
PACKAGES = ("monitor", "classifiers", "alerts")


def marked() -> dict[str | tuple[str, ...], list[str]]:
    """Every marked string of the three packages, both forms of a plural together, and the files it stands in."""
    found: dict[str | tuple[str, ...], list[str]] = {}
    for package in PACKAGES:
        for file, _line, message, _comments, _context in extract_from_dir(
            ROOT / package, [("**.py", "python")], keywords=KEYWORDS
        ):
            found.setdefault(message, []).append(f"{package}/{file}")
    return found


def translated() -> Catalog:
    """The .po file."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hant", domain=DOMAIN)


def compiled(catalogue: Catalog) -> bytes:
    """What the .mo file holds."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def main() -> None:
    """Add what is missing, write both files, and say what is untranslated."""
    catalogue = translated() if PO.exists() else Catalog(locale="zh_Hant", domain=DOMAIN, fuzzy=False)
    for message in marked():
        if message not in catalogue:
            catalogue.add(message, "" if isinstance(message, str) else ("",))
    with PO.open("wb") as file:
        write_po(file, catalogue, width=0, sort_output=True, omit_header=False)
    MO.write_bytes(compiled(translated()))
    print(f"{sum(not any(message.string) for message in catalogue if message.id)} strings are not translated")


if __name__ == "__main__":
    main()
