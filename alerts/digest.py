"""The daily mail: one a day and receiver, never lost, never twice but for the window that SMTP leaves open.

The message is written to the store before the first attempt, and marked sent once the server has accepted it. Killed
in between, it is sent again, the same bytes with the same Message-ID: the one moment in which a second copy can
arrive lies between the server's acceptance and our record of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from alerts import mail
from alerts.backoff import retry_after
from alerts.edition import edition, message, message_id
from alerts.overdue import KIND, due_date, overdue
from alerts.summary import Summary, gather
from monitor.config import Settings
from monitor.errors import InputError, MailError
from monitor.store import Store, notices
from monitor.types import Said, StageReport

LONGEST_PERIOD = timedelta(days=7)


@dataclass(slots=True)
class Sending:
    """What became of the messages that were tried: receivers served, receivers not, and a sentence for each fault."""

    sent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def digest(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Stage: once the digest's time has come, write it for every receiver and send what waits, in its time."""
    day = due_date(settings, now)
    queued, missing = enqueue(store, settings, day, now) if day else ([], [])
    sending = send_waiting(store, settings, now)
    date = day.isoformat() if day else None
    return StageReport(
        "digest", {"date": date, "queued": len(queued), "sent": len(sending.sent)}, (*missing, *sending.problems)
    )


def period(store: Store, settings: Settings, day: date, now: datetime) -> tuple[datetime, datetime]:
    """What the digest of ``day`` covers: from where the one before it stopped, seven days at most, to ``now``.

    Without one before it, from the digest's time a day earlier. The digest of a day gone by ends at its own time.
    """
    calendar = settings.calendar
    end = now if day == calendar.local_date(now) else calendar.at(day, settings.digest.time)
    with store.read() as connection:
        before = notices.last_period_end(connection, KIND, day.isoformat())
    start = before or calendar.at(day - timedelta(days=1), settings.digest.time)
    return max(start, end - LONGEST_PERIOD), end


def compose(store: Store, settings: Settings, day: date, now: datetime, end: datetime | None = None) -> Summary:
    """The numbers of one day's digest, up to ``end`` if given. Raises InputError for a day out of reach."""
    if day > settings.calendar.local_date(now):
        raise InputError(f"--date {day}", "this day has not come yet")
    if day.year < 2000:
        raise InputError(f"--date {day}", "there was nothing to watch then")
    start, natural_end = period(store, settings, day, now)
    return gather(store, settings, day, start, end or natural_end, now)


def enqueue(store: Store, settings: Settings, day: date, now: datetime) -> tuple[list[str], list[str]]:
    """Write the digest of ``day`` for every receiver that has none yet.

    Returns those receivers, and a sentence for each thing that had to be left out.
    """
    with store.read() as connection:
        have = notices.receivers_of(connection, KIND, day.isoformat())
        fixed_end = notices.period_end(connection, KIND, day.isoformat())
    missing = [receiver for receiver in settings.digest.receivers if receiver.address not in have]
    if not missing:
        return [], []
    # A receiver who is added later in the day gets the period of the others: tomorrow's starts for all where it ends.
    summary = compose(store, settings, day, now, end=fixed_end)
    editions = {lang: edition(settings, summary, lang) for lang in sorted({receiver.lang for receiver in missing})}
    queued = []
    with store.write() as connection:
        for receiver in missing:
            fresh = notices.queue(
                connection,
                kind=KIND,
                date=day.isoformat(),
                receiver=receiver.address,
                message_id=message_id(settings, day.isoformat(), receiver.address),
                message=message(settings, summary, editions[receiver.lang], receiver),
                period_end=summary.end,
                now=now,
            )
            if fresh:
                queued.append(receiver.address)
    left_out = dict.fromkeys(problem for each in editions.values() for problem in each.problems)
    return queued, list(left_out)


def send_waiting(
    store: Store, settings: Settings, now: datetime, *, day: date | None = None, at_once: bool = False
) -> Sending:
    """Send what waits and whose next attempt has come.

    One process sends at a time: the lock dies with its holder, so a killed sender blocks nobody.
    """
    result = Sending()
    with store.lock(KIND, wait_s=settings.smtp.timeout_s if at_once else 0):
        with store.read() as connection:
            waiting = notices.waiting(connection, KIND, day.isoformat() if day else None)
        ready = [n for n in waiting if at_once or n.tried_at is None or now >= n.tried_at + retry_after(n.attempts)]
        if not ready:
            return result
        try:
            with mail.connect(settings) as session:
                for notice in ready:
                    _send(store, session, settings, notice, now, result)
        except MailError as error:  # the server as a whole: every message stays for the next attempt
            result.problems.append(str(error))
            for notice in ready:
                _keep(store, notice, now, error, result)
    return result


def _send(
    store: Store, session: mail.Session, settings: Settings, notice: notices.Notice, now: datetime, result: Sending
) -> None:
    try:
        mail.deliver(session, settings, notice.receiver, notice.message)
    except MailError as error:
        result.problems.append(str(error))
        _keep(store, notice, now, error, result)
    else:
        with store.write() as connection:
            notices.sent(connection, notice.id, now)
        result.sent.append(notice.receiver)


def _keep(store: Store, notice: notices.Notice, now: datetime, error: MailError, result: Sending) -> None:
    with store.write() as connection:
        notices.failed(connection, notice.id, now, error.detail)
    result.failed.append(notice.receiver)


def problems(store: Store, settings: Settings, now: datetime) -> list[Said]:
    """What `status` says of a digest that was not even written; of mails that are not sent it speaks anyway."""
    with store.read() as connection:
        late = overdue(connection, settings, now)
    if late is None or not late.unwritten:
        return []
    form = Said("the digest of {date} is overdue for {receivers}")
    return [form.filled(date=late.date.isoformat(), receivers=late.unwritten)]
