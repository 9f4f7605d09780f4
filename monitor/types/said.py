"""A sentence kept as what it says, so that it can be said in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Said:
    """An English sentence, or a part of one, as its form and what fills it: JSON, instants, and parts that are Said.

    ``monitor.language.render`` says it in another language: it looks up the form in the catalogue, and the names of
    codes by the names of the values (see ``language.term``); of a value that is Names it takes the one of its language.
    Without values the form is the sentence, whatever it holds.
    """

    form: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The English sentence."""
        if not self.values:
            return self.form
        return self.form.format(**{key: in_english(value) for key, value in self.values.items()})

    def filled(self, **values: Any) -> Self:
        """The form with these values."""
        return type(self)(self.form, values)

    def __str__(self) -> str:
        return self.text

    @classmethod
    def read(cls, stored: Any) -> Self:
        """From the store: ``{"form": …, "values": …}``, or a whole English sentence as earlier programs kept it."""
        if isinstance(stored, str):
            return cls(stored)
        return cls(stored["form"], {key: cls._value(value) for key, value in stored["values"].items()})

    @classmethod
    def _value(cls, stored: Any) -> Any:
        if isinstance(stored, Mapping):
            return cls.read(stored) if "form" in stored else stored  # Names
        return [cls._value(each) for each in stored] if isinstance(stored, list) else stored


def in_english(value: Any) -> Any:
    """A value as it stands in an English sentence."""
    if isinstance(value, (list, tuple)):
        return sentence_list(str(in_english(each)) for each in value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Mapping) and "en" in value:
        return value["en"]
    return value.text if isinstance(value, Said) else value


def counted(count: int, noun: str) -> str:
    """``1 alert``, ``3 alerts``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def sentence_list(words: Iterable[str]) -> str:
    """``a, b and c``."""
    *head, last = list(words) or [""]
    return f"{', '.join(head)} and {last}" if head else last
