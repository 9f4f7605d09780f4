"""Where everything is kept. The only room that knows SQLAlchemy; one file per noun."""

from monitor.store.engine import Connection, Store, open_store

__all__ = ["Connection", "Store", "open_store"]
