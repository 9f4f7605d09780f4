"""Alembic migrations; `script_location = monitor.store:migrations`."""
