"""What the tables of routes.toml and rota.toml have in common: no unknown key, and a value where a list may stand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

PriorityName = Literal["P1", "P2", "P3", "P4"]


class Table(BaseModel):
    """One table of such a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def several(value: Any) -> Any:
    """A single value as a list of one."""
    return value if isinstance(value, list) else [value]


Several = BeforeValidator(several)
AtLeastOne = Field(min_length=1)
Name = Annotated[str, Field(pattern=r"\S")]
AnyOfNames = Annotated[tuple[Name, ...], Several, AtLeastOne]
