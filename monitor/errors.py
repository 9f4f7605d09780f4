"""Every error that pollwatch raises on purpose.

PollwatchError                     exit 2 unless said otherwise; its text is one sentence for a person
├── ConfigError(file, key)         a configuration, watchlist, facts or routes file is wrong
├── StoreError
│   ├── StaleSchemaError           the store is older than the program: run `pollwatch db upgrade`
│   ├── NewerSchemaError           the store is newer than the program
│   ├── MissingStoreError          there is no store yet
│   └── BrokenStoreError           damaged, read-only, locked or full: the database's own words
├── NotFoundError(kind, id)        no such feed, item, alert, model
├── FeedError(url, kind)           one feed could not be read; recorded as data, never stops a pass
│   └── BlockedAddressError        the address guard said no
├── InputError(where)              a file given on the command line (OPML, JSON Lines) is wrong
├── ModelError(id)                 a stored model is damaged or unknown
│   └── ModelVersionError          it was written by other versions of the libraries
├── RefusedError(reason)           exit 1: the queue refused an act (a lost race, no lease)
│   └── UnfitActError              exit 2: the act itself lacks something or contradicts itself
├── EvidenceError(path)            the folder of evidence cannot be used, or a file in it is not what was written
├── BusyError(name)                exit 1: another process holds the lock
├── MailError(receiver)            exit 1: the SMTP server did not take a message
└── NoticeError(receiver)          exit 1: a receiver's service did not take a message
"""

from __future__ import annotations

from enum import StrEnum

from monitor.types import Said


class PollwatchError(Exception):
    """Base of all; ``exit_code`` is what the command line ends with."""

    exit_code = 2


class ConfigError(PollwatchError, ValueError):
    """A configuration file is wrong: names the file, the key and the mend."""

    def __init__(self, file: str, key: str, mend: str) -> None:
        self.file, self.key, self.mend = file, key, mend
        super().__init__(f"{file}: {key}: {mend}" if key else f"{file}: {mend}")


class StoreError(PollwatchError):
    """The store cannot be used as it is."""


class StaleSchemaError(StoreError):
    """The store was written by an older program."""

    def __init__(self, url: str, found: str | None, wanted: str) -> None:
        self.url, self.found, self.wanted = url, found, wanted
        super().__init__(
            f"the store {url} has schema {found or 'none'}, this program wants {wanted}: run `pollwatch db upgrade`"
        )


class NewerSchemaError(StoreError):
    """The store was written by a newer program."""

    def __init__(self, url: str, found: str) -> None:
        self.url, self.found = url, found
        super().__init__(f"the store {url} has schema {found}, which this program does not know: upgrade pollwatch")


class MissingStoreError(StoreError):
    """No store at that address yet."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(f"there is no store at {url} yet: run `pollwatch init` or `pollwatch db upgrade`")


class BrokenStoreError(StoreError):
    """The database refused: the store is damaged, read-only, locked or its disk full."""

    def __init__(self, url: str, detail: str) -> None:
        self.url, self.detail = url, detail
        super().__init__(f"the store {url} cannot be used: {detail}")


class NotFoundError(PollwatchError, LookupError):
    """Nothing of that kind has that id."""

    def __init__(self, kind: str, id: object, mend: str = "") -> None:
        self.kind, self.id = kind, id
        super().__init__(f"no {kind} {id}" + (f": {mend}" if mend else ""))


class FeedErrorKind(StrEnum):
    """Why a feed could not be read. The same word stands in the store, the log and on screens."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    HTTP = "http"
    GONE = "gone"
    TOO_LARGE = "too-large"
    REDIRECT = "redirect"
    BLOCKED = "blocked"
    ROBOTS = "robots"
    EMPTY = "empty"
    HTML = "html"
    NOT_A_FEED = "not-a-feed"
    NOT_A_PAGE = "not-a-page"
    ENCODING = "encoding"
    STALLED = "stalled"
    INTERNAL = "internal"


UNREACHED = (FeedErrorKind.DNS, FeedErrorKind.CONNECT, FeedErrorKind.TIMEOUT)  # no server was heard


class FeedError(PollwatchError):
    """One feed could not be read. ``retry_after_s`` is what the server asked for, in seconds."""

    def __init__(
        self,
        url: str,
        kind: FeedErrorKind,
        detail: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.url, self.kind, self.detail = url, kind, detail
        self.status, self.retry_after_s = status, retry_after_s
        super().__init__(f"{url}: {kind}: {detail}")


class BlockedAddressError(FeedError):
    """The address guard refused: not http(s), or not a public address."""

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(url, FeedErrorKind.BLOCKED, detail)


class InputError(PollwatchError, ValueError):
    """A file given on the command line is wrong; ``where`` names the file and, if known, the line."""

    def __init__(self, where: str, mend: str) -> None:
        self.where, self.mend = where, mend
        super().__init__(f"{where}: {mend}")


class ModelError(PollwatchError):
    """A stored model is damaged or cannot be loaded here."""

    def __init__(self, id: str, detail: str) -> None:
        self.id, self.detail = id, detail
        super().__init__(f"model {id}: {detail}")


class ModelVersionError(ModelError):
    """A stored model was written by other versions of the libraries than those installed."""


class RefusedError(PollwatchError):
    """The queue refused an act; ``reason`` is a word scripts can read, ``said`` the sentence for people."""

    exit_code = 1

    def __init__(self, reason: str, said: Said) -> None:
        self.reason, self.said = reason, said
        super().__init__(said.text)


class UnfitActError(RefusedError):
    """An act lacks something or contradicts itself: no state of the queue would make it right."""

    exit_code = 2


class EvidenceError(PollwatchError):
    """The folder of evidence cannot be used, or a file in it is not what was written."""

    def __init__(self, path: str, detail: str) -> None:
        self.path, self.detail = path, detail
        super().__init__(f"evidence {path}: {detail}")


class BusyError(PollwatchError):
    """Another process holds the named lock."""

    exit_code = 1

    def __init__(self, name: str, detail: str) -> None:
        self.name = name
        super().__init__(detail)


class MailError(PollwatchError):
    """The SMTP server did not take a message."""

    exit_code = 1

    def __init__(self, receiver: str, detail: str) -> None:
        self.receiver, self.detail = receiver, detail
        super().__init__(f"mail to {receiver}: {detail}")


class NoticeError(PollwatchError):
    """The service of a receiver did not take a message, or its answer was not seen."""

    exit_code = 1

    def __init__(self, receiver: str, detail: str) -> None:
        self.receiver, self.detail = receiver, detail
        super().__init__(f"receiver {receiver}: {detail}")
