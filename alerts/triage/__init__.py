"""The triage desk, in a terminal."""

import os

# Esc alone is told from a key that begins with it by what follows. That comes at once, by SSH too; Textual would wait a
# tenth of a second for it, as long as a dialog seems to hesitate before it closes. Who needs longer sets it, as for vi.
os.environ.setdefault("ESCDELAY", "30")  # milliseconds
