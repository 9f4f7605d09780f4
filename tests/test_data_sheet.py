"""README says of every table what it holds, why, until when and who sees it."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.sections import Retention
from monitor.store.schema import metadata

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_every_table_stands_in_the_data_sheet_once() -> None:
    """A new table is explained where it is made; one that is gone is not."""
    sheet = README.partition("**Data sheet**")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in sheet.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted(metadata.tables)
    assert all(len(row) == 5 and all(len(cell.strip()) > 3 for cell in row) for row in rows)


def test_what_points_to_an_item_goes_with_it() -> None:
    """The sheet says `as the text` of these: each has a way to an item that a purge follows."""
    bound = {
        table.name
        for table in metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "items"
    }
    assert {"revisions", "assessments", "signatures", "bands", "texts", "incident_items", "captures"} <= bound
    assert set(Retention.model_fields) == {"quiet_days", "dismissed_days", "decided_days", "messages_days"}
