"""Handing a message to the service behind an address. The only user of Apprise.

Addresses are secrets, and so may be what services and libraries say about them: errors are told in our words alone.
"""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING

from monitor.errors import NoticeError

if TYPE_CHECKING:
    from apprise import NotifyBase

WITHIN_S = 45.0  # for one message, whatever the service does; a body that drips would hold us for ever
READ_WITHIN_S = 20.0  # for the service's answer, unless the address says (`rto=`): given up too early, it is sent twice
_STATUS = re.compile(r"\berror=(\d{3})\b")


def check(receiver: str, address: str) -> None:
    """Whether there is a service for ``address``. Raises NoticeError."""
    _service(receiver, address)


def deliver(receiver: str, address: str, title: str, body: str, within_s: float = WITHIN_S) -> None:
    """Hand over one message of plain text; returns only once the service has accepted it.

    Raises NoticeError when it refused or when its answer was not seen: then it may have the message all the same.
    """
    service = _service(receiver, address)
    answers: list[str | None] = []
    # A thread of its own, that ends with the process: nothing else ends a request that drips.
    thread = threading.Thread(target=lambda: answers.append(_send(service, title, body)), daemon=True)
    thread.start()
    thread.join(within_s)
    if not answers:
        raise NoticeError(receiver, f"no answer within {within_s:g} seconds")
    if answers[0] is not None:
        raise NoticeError(receiver, answers[0])


def _service(receiver: str, address: str) -> NotifyBase:
    import apprise

    log = logging.getLogger("apprise")  # it repeats parts of addresses: read by `_send` alone
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    asset = apprise.AppriseAsset(
        app_id="pollwatch",
        app_desc="pollwatch",
        async_mode=False,
        http_redirects=False,  # a POST that is redirected becomes a GET, which brings nothing and is answered with 200
        interpret_emojis=False,
        service_timeout=0,  # ours is in `deliver`
    )
    service = apprise.Apprise.instantiate(address, asset=asset)
    if not isinstance(service, apprise.NotifyBase):
        raise NoticeError(receiver, "its address is none that Apprise knows; try `apprise --details`")
    if len(service) > 1 or service.optional:
        raise NoticeError(receiver, "its address names several targets, `retry` or `optional`; one target a receiver")
    if "socket_read_timeout" not in vars(service):
        service.socket_read_timeout = READ_WITHIN_S
    if service.body_maxlen < 2000:  # a telephone: better its first words than none
        service.overflow_mode = apprise.OverflowMode.TRUNCATE
    return service


def _send(service: NotifyBase, title: str, body: str) -> str | None:
    """None once the service has accepted it, else what went wrong in our words."""
    import apprise

    post = apprise.Apprise(asset=service.asset)
    post.add(service)
    try:
        result = post.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # noqa: BLE001 - of a hundred services' code
        return f"its service failed ({type(error).__name__})"
    if result:
        return None
    said = _STATUS.search(" ".join(entry.message for entry in result.logs()))
    return f"its service answered with status {said[1]}" if said else "its service cannot be reached or gave no answer"
