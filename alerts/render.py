"""From data to text, HTML and XML. The only user of Jinja2; every value is escaped where markup is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from monitor.text import clean, shorten


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("alerts", "templates"),
        autoescape=select_autoescape(["html", "xml"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["local"] = _local
    environment.filters["line"] = clean
    environment.filters["shorten"] = shorten
    return environment


def _local(moment: datetime | None, zone: ZoneInfo, form: str = "%d %b %H:%M") -> str:
    return moment.astimezone(zone).strftime(form) if moment else "-"


def render(template: str, data: Mapping[str, Any]) -> str:
    """One template filled with ``data``; a name that is missing is an error, never an empty place."""
    return _environment().get_template(template).render(data)
