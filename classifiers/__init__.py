"""The first floor: what does an item look like, and why."""
