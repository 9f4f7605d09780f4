"""`digest`: look at the daily mail, write it to a file, or send it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.base import Context, example, json_option, now, pass_context, print_object, say
from monitor.invisible import safe

if TYPE_CHECKING:
    from alerts.summary import Summary
    from monitor.config import Settings


@click.command(epilog=example("pollwatch digest", "pollwatch digest --out digest.eml", "pollwatch digest --send"))
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Local date of the digest; default today.")
@click.option("--send", is_flag=True, help="Send it to the receivers who have not had it.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the mail to this .eml file.")
@json_option
@pass_context
def digest(context: Context, day: datetime | None, send: bool, out: Path | None, as_json: bool) -> None:
    """Show, write or send the daily digest: one mail a day and receiver, exactly once.

    Without --send and --out it is printed as text and nothing is recorded. Printed or written, it is in the language of
    the screens; each receiver gets it in his own.
    """
    if send and out:
        raise click.UsageError("--send and --out do not go together")
    with context.store() as (store, settings):
        from alerts import digest as library
        from alerts.edition import letter
        from alerts.forms import as_text
        from monitor import language

        moment = now()
        on: date = day.date() if day else settings.calendar.local_date(moment)
        summary = library.compose(store, settings, on, moment)
        receivers = [receiver.address for receiver in settings.digest.receivers]
        sending = library.Sending()
        if out:
            _write(out, settings, summary)
            say(f"wrote {out}")
        if send:
            if not receivers:
                raise click.UsageError(f"{settings.file}: digest.receivers: name at least one receiver")
            for problem in library.enqueue(store, settings, on, moment)[1]:
                say(f"! {problem}")
            sending = library.send_waiting(store, settings, moment, day=on, at_once=True)
        if as_json:
            asked = receivers if send else []
            shown = {"date": on.isoformat(), "receivers": receivers, "sent": sending.sent, "failed": sending.failed}
            shown["skipped"] = [each for each in asked if each not in (*sending.sent, *sending.failed)]
            print_object({**shown, "problems": sending.problems, "sections": summary.sections()})
        elif send:
            for receiver in sending.sent:
                click.echo(f"sent to {safe(receiver)}")
            if not sending.sent and not sending.failed:
                click.echo(f"the digest of {on} was sent already")
        elif not out:
            click.echo(as_text(letter(summary, language.used())))
        for problem in sending.problems:
            say(f"! {problem}")
    if sending.problems:
        raise SystemExit(1)


def _write(path: Path, settings: Settings, summary: Summary) -> None:
    """The mail in the language in use, as the first receiver of that language gets it."""
    from alerts.edition import edition, message
    from monitor import language
    from monitor.errors import InputError
    from monitor.sections import DigestReceiver

    made = edition(settings, summary, language.used())
    alike = [each for each in settings.digest.receivers if each.lang == made.letter.lang]
    nobody = DigestReceiver(address=settings.digest.sender, lang=made.letter.lang)
    try:
        path.write_bytes(message(settings, summary, made, (*alike, nobody)[0]))
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from error
    for problem in made.problems:
        say(f"! {problem}")
