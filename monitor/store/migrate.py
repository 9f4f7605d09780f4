"""Bringing the schema up to date, and refusing to work on one that is not."""

from __future__ import annotations

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
        with store.read() as connection:
            found = _found(connection)
        _refuse_unknown(store, found)
        with store.write() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return wanted()


def check(store: Store) -> str:
    """The schema version. Raises StaleSchemaError or NewerSchemaError when it is not this program's."""
    with store.read() as connection:
        found = _found(connection)
    _refuse_unknown(store, found)
    if found is None or found != wanted():
        raise StaleSchemaError(store.url, found, wanted())
    return found


def wanted() -> str:
    """The schema version of this program."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migrations")
    return head


def _found(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_unknown(store: Store, found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise NewerSchemaError(store.url, found)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "monitor.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
