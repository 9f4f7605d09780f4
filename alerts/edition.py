"""The digest of a day in one language: its letter, and the bytes of the mail for a receiver."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr

from alerts import mail, paper
from alerts.annex import annex
from alerts.forms import as_csv, as_html, as_text
from alerts.front import front_page, headline
from alerts.letter import Letter, moment
from alerts.overdue import KIND
from alerts.raster import Rasteriser
from alerts.summary import Summary
from monitor.config import Settings
from monitor.errors import InputError
from monitor.language import _, speaking, term
from monitor.sections import DigestReceiver
from monitor.text import clean, shorten
from monitor.types import Lang

LIST = "pollwatch-digest"
LARGEST_HTML = 100_000  # bytes; Gmail cuts a mail at 102 KB
# How many things are shown on the front page and in each list behind it: the first that keeps the mail small enough.
_LENGTHS = ((5, 10), (4, 5), (3, 3), (1, 1))
_COLUMNS = (
    "what,alert,priority,state,claim_type,title,score,items,outlets,opened_at,due_at,decided_at,decision,verdict,reason"
)


@dataclass(frozen=True, slots=True)
class Edition:
    """What every receiver of one language gets."""

    letter: Letter
    text: str
    html: str
    pictures: tuple[mail.Part, ...]
    files: tuple[mail.Part, ...]
    problems: tuple[str, ...] = ()  # sentences: what is left out, and why


def edition(settings: Settings, summary: Summary, lang: Lang) -> Edition:
    """Make it, with pictures and the files that the configuration asks for.

    Nothing keeps a mail back: without a font there are no pictures, and the numbers of the charts are written out; a
    PDF that cannot be made is left out. The mail says so.
    """
    shortest = letter(summary, lang, *_LENGTHS[-1])
    pictures, no_charts = _drawn(settings, summary, shortest)
    no_pdf = no_charts or _why_no_pdf() if "pdf" in settings.digest.attach else ""
    names = {picture.name for picture in pictures}
    sources = {
        picture.name: {tone: f"cid:{_cid(settings, summary, picture.name, tone)}" for tone in ("day", "night")}
        for picture in shortest.pictures
        if names
    }
    for length in _LENGTHS:
        made = letter(summary, lang, *length, no_charts=no_charts, no_pdf=no_pdf)
        html = as_html(made, sources)
        if len(html.encode()) <= LARGEST_HTML:
            break
    files = tuple(_files(settings, summary, made, pdf=not no_pdf))
    left_out = (("charts", no_charts), ("PDF", no_pdf))
    problems = tuple(f"the digest is without {what}: {why}" for what, why in left_out if why)
    return Edition(made, as_text(made), html, pictures, files, problems)


def page(made: Edition) -> str:
    """The HTML with its pictures inside, for a browser."""
    html = made.html
    for picture in made.pictures:
        data = b64encode(picture.data).decode()
        html = html.replace(f'"cid:{picture.name}"', f'"data:{picture.type};base64,{data}"')
    return html


def letter(
    summary: Summary, lang: Lang, front: int = 5, behind: int = 10, *, no_charts: str = "", no_pdf: str = ""
) -> Letter:
    """The whole letter in ``lang``; ``front`` and ``behind`` say how many things each list shows at most."""
    with speaking(lang):
        name = _("pollwatch digest {date}").format(date=summary.date.isoformat())
        said = headline(summary)
        about = _("Covers {start} to {end} ({zone}); phase: {phase}. What waits is as of {now}.").format(
            start=moment(summary.start, summary.zone),
            end=moment(summary.end, summary.zone),
            zone=f"{summary.end.astimezone(summary.zone):%Z}",
            phase=term("phase", summary.phase),
            now=moment(summary.made_at, summary.zone),
        )
        charts = _("The charts are left out: {why}").format(why=no_charts) if no_charts else ""
        pdf = _("The PDF is left out: {why}").format(why=no_pdf) if no_pdf else ""
        return Letter(
            lang=lang,
            subject=_("{name}: {headline}").format(name=name, headline=said),
            name=_(" · ").join(part for part in (name, shorten(clean(summary.election), 80)) if part),
            headline=said[:1].upper() + said[1:],
            about=(about,),
            front=front_page(summary, front),
            annex=annex(summary, behind),
            foot=tuple(part for part in (_("A score is a reason to look, never a finding."), charts, pdf) if part),
        )


def message(settings: Settings, summary: Summary, made: Edition, receiver: DigestReceiver) -> bytes:
    """The whole mail for one receiver."""
    return mail.build(
        sender=settings.digest.sender,
        receiver=receiver.address,
        lang=receiver.lang,
        subject=made.letter.subject,
        id=message_id(settings, summary.date.isoformat(), receiver.address),
        date=summary.made_at.astimezone(summary.zone),
        text=made.text,
        html=made.html,
        list_name=LIST,
        pictures=made.pictures,
        files=made.files,
    )


def message_id(settings: Settings, day: str, address: str) -> str:
    """The one Message-ID of a date and an address."""
    return mail.message_id(KIND, day, address, settings.digest.sender)


def _drawn(settings: Settings, summary: Summary, made: Letter) -> tuple[tuple[mail.Part, ...], str]:
    """The pictures of a letter, by day and by night; none, and why, where there is no font to draw with."""
    font = settings.publish.font
    try:
        rasteriser = Rasteriser(settings.path(font) if font else None)
        drawn = [
            mail.Part(_cid(settings, summary, picture.name, tone), "image/png", rasteriser.png(svg, ground))
            for picture in made.pictures
            for tone, svg, ground in (("day", picture.day, "#ffffff"), ("night", picture.night, "#14181d"))
        ]
    except InputError as error:
        return (), str(error)
    return tuple(drawn), ""


def _cid(settings: Settings, summary: Summary, name: str, tone: str) -> str:
    domain = parseaddr(settings.digest.sender)[1].rpartition("@")[2]
    return f"{name}-{tone}.{summary.date.isoformat()}@{domain}"


def _why_no_pdf() -> str:
    try:
        paper.check()
    except InputError as error:
        return str(error)
    return ""


def _files(settings: Settings, summary: Summary, made: Letter, *, pdf: bool) -> Iterator[mail.Part]:
    name = f"pollwatch-{summary.date.isoformat()}"
    if "csv" in settings.digest.attach:
        yield mail.Part(f"{name}.csv", "text/csv", as_csv(_COLUMNS.split(","), _rows(summary)))
    if "pdf" in settings.digest.attach and pdf:
        font = settings.publish.font
        yield mail.Part(f"{name}.pdf", "application/pdf", paper.as_pdf(made, settings.path(font) if font else None))


def _rows(summary: Summary) -> Iterator[Sequence[object]]:
    """The alerts that wait, then those that were decided in the period; in English, as every file for machines."""
    for what, rows in (("waiting", summary.alerts), ("decided", summary.decided)):
        for row in rows:
            yield [what, *(_cell(row, name) for name in _COLUMNS.split(",")[1:])]


def _cell(row: Mapping[str, object], name: str) -> object:
    value = row.get({"alert": "id" if "id" in row else "alert_id", "decided_at": "at"}.get(name, name))
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    return value if isinstance(value, (int, float)) else str(value or "")
