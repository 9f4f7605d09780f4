"""Commands of the ground floor. A command parses, calls one library function, prints.

Imports that cost time stand inside the commands, so that `pollwatch --help` loads none of them.
"""
