"""``python -m alerts`` is ``pollwatch``."""

from alerts.cli import main

main()
