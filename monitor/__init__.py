"""The ground floor: what was published, and where everything is kept."""

__version__ = "0.1.0"
