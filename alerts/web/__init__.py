"""`web`: the HTTP server. Read-only pages for the team, figures for monitors, and what hubs and feed readers ask."""

from alerts.web.server import serve, site

__all__ = ["serve", "site"]
