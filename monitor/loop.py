"""The event loop of a pass over the feeds: uvloop's where it is installed, which takes a sixth of the time less."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

# A pass makes hundreds of thousands of objects that live for long and hardly a circle of them: looking for circles as
# often as Python does takes a tenth of its time.
OBJECTS = 50_000  # more of them before we look again

T = TypeVar("T")

new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
with contextlib.suppress(ImportError):
    import uvloop

    new_event_loop = uvloop.new_event_loop


def run(main: Coroutine[Any, Any, T]) -> T:
    """As ``asyncio.run``; from then on the whole process collects garbage more rarely."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
