"""Commands of the first floor: `classify`, and the groups `claims`, `models` and `watchlist`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classifiers.cli.models import models
from classifiers.cli.pages import write_page
from monitor.cli.base import (
    Context,
    example,
    instant,
    json_option,
    pass_context,
    print_lines,
    print_object,
    print_table,
    say,
)
from monitor.invisible import safe

if TYPE_CHECKING:
    from classifiers.assess import Bench, Judged
    from monitor.types import Claim
    from monitor.watchlist import Watchlist

_BATCH = 200


@click.command(epilog=example("pollwatch classify tips.jsonl", 'echo \'{"text": "…"}\' | pollwatch classify -'))
@click.argument("file", type=click.File("r", encoding="utf-8-sig", errors="strict"), default="-")
@click.option("--model", "model_id", metavar="ID", help="A registered model; default: the live one, or the seeds'.")
@json_option
@pass_context
def classify(context: Context, file: Iterable[str], model_id: str | None, as_json: bool) -> None:  # noqa: ARG001 - the answer is JSON Lines either way
    """Judge texts: JSON Lines in, one JSON line out for each, in the same order.

    A line has `text`, or `title` and `summary`; optional are `id, link, lang, published_at, outlet, role`.
    Nothing is stored. Without a configuration the text is judged alone.
    """
    from classifiers.examples import parse_lines

    name = getattr(file, "name", "-")
    rows = parse_lines(_decoded(file, name), name)
    first = list(islice(rows, 1))
    if not first:
        return
    bench = _bench(context, model_id)
    print_lines(_judge_rows(first, bench))
    while batch := list(islice(rows, _BATCH)):
        print_lines(_judge_rows(batch, bench))


@click.group()
def claims() -> None:
    """Known claims, and the texts that repeat them."""


@claims.command(
    "match",
    epilog=example("pollwatch claims match tips.jsonl", "pollwatch claims match tips.jsonl --corpus fact-checks.jsonl"),
)
@click.argument("file", type=click.File("r", encoding="utf-8-sig", errors="strict"), default="-")
@click.option(
    "--corpus",
    type=click.File("r", encoding="utf-8-sig", errors="strict"),
    help="Known claims, JSON Lines with `id` or `claim_id`, and `text`; default: those of the store.",
)
@json_option
@pass_context
def match_claims(context: Context, file: Iterable[str], corpus: Iterable[str] | None, as_json: bool) -> None:  # noqa: ARG001 - the answer is JSON Lines either way
    """Find the known claims that texts repeat: JSON Lines in, one JSON line out for each, in the same order.

    A line has `text`, or `title` and `summary`, and may have an `id`. Of at most ten claims, best first, each is
    `confirmed` or only `suggested`. A line of the corpus may have a `title` beside its `text`: both are read.
    The store knows what reviewers ruled on, with the page (`url`) on which it was clarified, and what official and
    fact-check feeds took back.
    """
    from classifiers.claims import Index
    from classifiers.examples import parse_lines, seed_examples

    name = getattr(file, "name", "-")
    if corpus is not None and {name, getattr(corpus, "name", "-")} <= {"-", "<stdin>"}:
        raise click.UsageError("the texts and --corpus cannot both be read from standard input")
    names, known = _names_and_claims(context, corpus)
    index = Index(names, background=[example.text for example in seed_examples()])
    index.add(known)
    for where, row in parse_lines(_decoded(file, name), name):
        matches = [
            {
                "claim_id": repeat.claim.id,
                "text": repeat.claim.text,
                "similarity": round(repeat.similarity, 4),
                "kind": repeat.certainty,
                "verdict": repeat.claim.verdict,
                "url": repeat.claim.url,
            }
            for repeat in index.match(_text(row, where))
        ]
        print_object({"id": row.get("id"), "matches": matches})


@models.command(
    epilog=example("pollwatch models evaluate labelled.jsonl --html report.html", "pollwatch models evaluate --json")
)
@click.argument("file", type=click.File("r", encoding="utf-8-sig"), required=False)
@click.option("--model", "model_id", metavar="ID", help="A registered model to measure on FILE; default: the live one.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with curves to this file.")
@json_option
@pass_context
def evaluate(
    context: Context, file: Iterable[str] | None, model_id: str | None, html: Path | None, as_json: bool
) -> None:
    """Measure a model on labelled JSON Lines, beside a plain TF-IDF and a majority, with bootstrap intervals.

    A line has `text`, and `label` or `y` (1 for suspicious); optional are `lang, kind, stance, claim_type`, by which
    figures are broken out. News is known by a `kind` of `news` (or that begins with `news_`), a refutation by a `kind`
    of `factcheck`, `clarification` or `refutation`, or by the `stance` `refutes`. Without FILE: the seeds' own training
    by cross-validation.
    """
    from classifiers import evaluate, registry
    from classifiers.examples import parse_lines, seed_examples
    from classifiers.report import COLUMNS, meaning, page, table_rows

    if file is None and model_id:
        raise click.UsageError("--model needs a FILE to be measured on; without one the seeds' training is measured")
    if file is None:
        judged = evaluate.cross_validate(seed_examples())
        id, name, source = registry.seed_id(), "the seeds' training", "the seeds, each judged unseen"
    else:
        source = getattr(file, "name", "-")
        rows = list(parse_lines(_decoded(file, source), source))
        bench = _bench(context, model_id)
        judged = evaluate.evaluate(bench.model, rows, seed_examples(), bench.mask)
        id = name = bench.model_id
    figures = judged.figures()
    if html:
        write_page(html, page(judged, figures, name, source))
    if as_json:
        print_object({**_registered(context, id), "metrics": figures["model"], **figures})
        return
    columns: list[str | tuple[str, str]] = ["judge", "texts", *((column.key, column.short) for column in COLUMNS)]
    wide = [column.key for column in COLUMNS if column.wide]
    print_table(table_rows(figures), columns, empty="nothing was measured", wide=wide)
    click.echo(f"\n{meaning(figures['model'])}")


@models.command(epilog=example('pollwatch models explain "Polls close at 6 pm this year"'))
@click.argument("text")
@click.option("--model", "model_id", metavar="ID", help="A registered model; default: the live one, or the seeds'.")
@json_option
@pass_context
def explain(context: Context, text: str, model_id: str | None, as_json: bool) -> None:
    """Show why TEXT gets its score: every reason, and the words that moved it."""
    bench = _bench(context, model_id)
    (answer,) = _judge_rows([("argument", {"text": text})], bench)
    pieces = sorted(bench.explain(text), key=lambda piece: -abs(piece.weight))
    answer["words"] = [asdict(piece) for piece in pieces]
    if as_json:
        print_object(answer)
        return
    click.echo(f"{answer['label']}  score {answer['score']:.2f}  flagged {'yes' if answer['flagged'] else 'no'}")
    for reason in answer["reasons"]:
        click.echo(f"- {safe(reason['text'])}")
    print_table(answer["words"][:12], ("text", "weight"), empty="no word of this text is known to the model")


@click.group()
def watchlist() -> None:
    """Try the watchlist and the rules on a text."""


@watchlist.command("test", epilog=example('pollwatch watchlist test "Perry Man has withdrawn from the race"'))
@click.argument("text")
@click.option("--link", metavar="URL", help="The address that the text stands at.")
@click.option("--on", "moment", metavar="TIME", help="When it was published; default: the roster as it is now.")
@json_option
@pass_context
def try_rules(context: Context, text: str, link: str | None, moment: str | None, as_json: bool) -> None:
    """Show which watched names stand in TEXT, and what the rules find in it. Nothing is stored, no model judges."""
    from classifiers.rules import Reference, check
    from monitor.reference import load_watchlist

    settings = context.settings()
    published_at = instant(moment, settings.calendar.zone, "--on") if moment else None
    matches = load_watchlist(settings)[0].match(text)
    found = [finding.as_row() for finding in check(text, link, matches, Reference.load(settings), published_at)]
    names = [{**asdict(match), "words": text[match.start : match.end]} for match in matches]
    if as_json:
        print_object({"text": text, "matches": names, "findings": found})
        return
    print_table(names, ("candidate_id", "alias", "words"), empty="no watched name stands in it")
    columns = ("rule", "claim_type", "weight", "evidence", "rests_on", "text")
    print_table(found, columns, empty="no rule finds anything in it", wide=("claim_type", "rests_on"))


def _bench(context: Context, model_id: str | None) -> Bench:
    """What judges a text on the command line; writes nothing. Only with a configuration is there a store to look in."""
    from classifiers import registry
    from classifiers.assess import Bench
    from monitor.config import find_file
    from monitor.errors import MissingStoreError, NotFoundError

    if find_file(context.config_file) is None:
        if model_id not in (None, registry.default_model()[0]):
            raise NotFoundError("model", model_id, "without a configuration there is only the seeds' model")
        return Bench.of(*registry.default_model(), None)
    settings = context.settings()
    try:
        with context.store() as (store, _):
            found = (model_id, registry.load(store, model_id)) if model_id else registry.live_or_default(store)
    except MissingStoreError:
        if model_id:
            raise
        found = registry.default_model()
    return Bench.of(*found, settings)


def _registered(context: Context, id: str) -> dict[str, Any]:
    """Id, age and standing of a model; one that only the seeds give is in no store: it has no date and is not live."""
    from monitor.config import find_file
    from monitor.errors import MissingStoreError, NotFoundError
    from monitor.store import models

    if find_file(context.config_file) is not None:
        with (
            contextlib.suppress(MissingStoreError, NotFoundError),
            context.store() as (store, _),
            store.read() as connection,
        ):
            row = models.get(connection, id)
            return {key: row[key] for key in ("id", "created_at", "live")}
    return {"id": id, "created_at": None, "live": False}


def _judge_rows(rows: Iterable[tuple[str, Mapping[str, Any]]], bench: Bench) -> Iterator[dict[str, Any]]:
    rows = list(rows)
    assessments = bench.assess([_judged(row, where) for where, row in rows])
    for (_, row), assessment in zip(rows, assessments, strict=True):
        findings = [finding.as_row() for finding in assessment.findings]
        yield {"id": row.get("id"), **asdict(assessment), "findings": findings, "score": round(assessment.score, 6)}


def _names_and_claims(context: Context, corpus: Iterable[str] | None) -> tuple[Watchlist, list[Claim]]:
    """Whom and what to look for, and the claims of the corpus or, without one, of the store."""
    from classifiers.anchors import names_and_places
    from classifiers.examples import parse_lines
    from monitor.config import find_file
    from monitor.errors import MissingStoreError
    from monitor.reference import load_watchlist
    from monitor.store import claims

    configured = find_file(context.config_file) is not None
    people = load_watchlist(context.settings())[0].candidates.values() if configured else ()
    if corpus is not None:
        name = getattr(corpus, "name", "-")
        return names_and_places(people), [_claim(*line) for line in parse_lines(_decoded(corpus, name), name)]
    known = []
    if configured:
        with contextlib.suppress(MissingStoreError), context.store() as (store, settings), store.read() as connection:
            known = claims.known(connection, settings.publish.base_url)
    if not known:
        say("no claims are known yet: none ruled on, none refuted by an official or fact-check feed, and no --corpus")
    return names_and_places(people), known


def _claim(where: str, row: Mapping[str, Any]) -> Claim:
    from monitor.errors import InputError
    from monitor.text import from_html
    from monitor.types import Claim

    text = _text(row, where)
    id = row.get("claim_id", row.get("id"))
    if not isinstance(id, str | int) or isinstance(id, bool):
        raise InputError(where, "needs `claim_id` or `id`, a text or a number")
    return Claim(str(id), text, headline=from_html(row.get("title") or "") if row.get("text") is not None else "")


def _text(row: Mapping[str, Any], where: str) -> str:
    """The text of a line. Raises InputError."""
    from monitor.errors import InputError
    from monitor.text import from_html
    from monitor.types import join_text

    for key in ("text", "title", "summary"):
        if not isinstance(row.get(key), str | None):
            raise InputError(where, f"`{key}` must be a text")
    text, title, summary = row.get("text"), row.get("title"), row.get("summary")
    if text is None and title is None and summary is None:
        raise InputError(where, "needs `text`, or `title` and `summary`")
    return str(text) if text is not None else join_text(from_html(title or ""), from_html(summary or ""))


def _judged(row: Mapping[str, Any], where: str) -> Judged:
    from classifiers.assess import Judged
    from classifiers.examples import read_word
    from monitor.dates import read_date
    from monitor.errors import InputError
    from monitor.text import detect_lang
    from monitor.types import Lang, Role

    text = _text(row, where)
    if not isinstance(row.get("link"), str | None):
        raise InputError(where, "`link` must be a text")
    return Judged(
        text,
        read_word(row, "lang", Lang, where) or detect_lang(text),
        row.get("link"),
        read_word(row, "role", Role, where),
        read_date(row["published_at"]) if isinstance(row.get("published_at"), str) else None,
    )


def _decoded(file: Iterable[str], name: str) -> Iterator[str]:
    from monitor.errors import InputError

    try:
        yield from file
    except UnicodeDecodeError as error:
        raise InputError(name, f"not UTF-8: {error.reason}") from None
