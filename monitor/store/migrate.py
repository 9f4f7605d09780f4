"""Bringing the schema up to date, and refusing to work on one that is not."""

from __future__ import annotations

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from monitor.errors import NewerSchemaError, StaleSchemaError
from monitor.store.engine import Store


def upgrade(store: Store) -> str:
    """Create or upgrade the schema; returns its version. Running it twice changes nothing.

    Raises NewerSchemaError when a newer program wrote the store.
    """
    with store.lock("upgrade", wait_s=60):
        found = refuse_newer(store)
        if found != wanted():
            with store.write() as connection:
                create(connection)
    return wanted()


def create(connection: Connection, until: str = "head") -> None:
    """Create or upgrade the schema inside the caller's transaction, to this program's version or an earlier one."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, until)


def check(store: Store) -> str:
    """The schema version. Raises StaleSchemaError or NewerSchemaError when it is not this program's."""
    found = refuse_newer(store)
    if found is None or found != wanted():
        raise StaleSchemaError(store.url, found, wanted())
    return found


def version(connection: Connection) -> str | None:
    """The schema version that the database names; None where there is no schema."""
    return MigrationContext.configure(connection).get_current_revision()


def wanted() -> str:
    """The schema version of this program."""
    head = _scripts().get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migrations")
    return head


def known() -> list[str]:
    """Every schema version from the first to this program's."""
    return [script.revision for script in _scripts().walk_revisions()][::-1]


def refuse_newer(store: Store) -> str | None:
    """The schema version, None where there is none. Raises NewerSchemaError for one that this program does not know."""
    with store.read() as connection:
        found = version(connection)
    if found is not None and found not in known():
        raise NewerSchemaError(store.url, found)
    return found


@cache  # every command asks, and a dozen modules are read for the answer
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "monitor.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
