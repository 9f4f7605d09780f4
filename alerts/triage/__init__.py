"""The triage desk, in a terminal."""
