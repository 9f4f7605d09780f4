"""What long-running commands share."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_SCRAPS = """
import ctypes
from pathlib import Path
from alerts.process import give_memory_back

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
blocks = [libc.malloc(60_000) for _ in range(2_000)]
for block in blocks:
    ctypes.memset(block, 1, 60_000)
kept = blocks.pop()  # on top of the heap: what lies below is not given back by itself
for block in blocks:
    libc.free(block)
before = resident_mb()
give_memory_back()
print(before, resident_mb())
"""


@pytest.mark.usefixtures("store")
def test_every_line_of_a_log_in_json_is_json(folder: Path) -> None:
    """That it runs and that it stopped are lines of the log as well: whoever reads it meets no other."""
    env = {**os.environ, "POLLWATCH_LOGS__FORMAT": "json"}
    command = [sys.executable, "-m", "alerts", "run"]
    with subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.PIPE, text=True) as process:
        said = []
        assert process.stderr
        for line in process.stderr:
            said.append(json.loads(line)["event"])
            if len(said) == 2:  # a stage has ended, so signals are heard
                process.terminate()
    assert said[0].startswith("pollwatch runs on ")
    assert said[-1].startswith("stopped")
    assert process.returncode == 0


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library is not glibc")
def test_freed_memory_goes_back_to_the_system() -> None:
    """120 MB in pieces, of which the last is still in use."""
    command = [sys.executable, "-c", _SCRAPS]
    before, after = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert before > 120
    assert after < before - 100
