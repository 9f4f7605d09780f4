"""The stage: every present text assessed once by the live model, with reasons, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from classifiers import registry
from classifiers.assess import BATCH, Bench, Judged, assess
from classifiers.examples import Example
from classifiers.group import group
from classifiers.train import train
from monitor import seeds
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.store import Store, assessments, feeds, incident_facts, items, models
from monitor.types import ClaimType, Entry, Label, Lang, Match, Role, Stance
from monitor.watchlist import Watchlist

WITHDRAWN = "Perry Man has withdrawn from Kingfisher Point, his agent confirmed last night"
NEWS = "Ferry company adds two sailings on Sunday evenings from June"


def publish(store: Store, now: datetime, texts: Sequence[str], role: Role = Role.MEDIA, name: str = "a") -> None:
    """One feed with an entry for each text."""
    with store.write() as connection:
        feed, _ = feeds.add(
            connection, f"https://{name}.example/rss", now, outlet="Jade Bay Post", role=role, lang=None
        )
        entries = [Entry(f"{name}{i}", None, None, text, "", None, None) for i, text in enumerate(texts)]
        items.add(connection, [(feed.id, entry) for entry in entries], now)


def test_a_false_claim_about_a_candidate_is_flagged_with_reasons(
    store: Store, settings: Settings, now: datetime
) -> None:
    """Rule, name, words, claim type and stance stand in the row; ordinary news is assessed and not flagged."""
    publish(store, now, [WITHDRAWN, NEWS])
    report = assess(store, settings, now)
    assert report.counts == {"assessed": 2, "flagged": 1, "model": registry.live(store, now)[0]}
    with store.read() as connection:
        ((row,), (news,)) = (assessments.for_item(connection, id) for id in (1, 2))
    assert (row["flagged"], row["label"], row["claim_type"]) == (True, "false-information", "candidate-status")
    assert row["matches"][0]["candidate_id"] == "man-pui-lam"
    assert row["findings"][0]["rule"] == "roster-status"
    assert [reason["code"] for reason in row["reasons"]][:3] == ["finding", "match", "words"]
    assert (news["flagged"], news["claim_type"]) == (False, None)


def test_a_second_run_finds_nothing_to_do(store: Store, settings: Settings, now: datetime) -> None:
    """Over several batches nothing is left out and nothing is doubled."""
    publish(store, now, [f"{NEWS}, notice {i}" for i in range(2 * BATCH + 1)])
    assert assess(store, settings, now).counts["assessed"] == 2 * BATCH + 1
    assert assess(store, settings, now).counts["assessed"] == 0


def test_a_pass_that_died_half_way_is_finished_by_the_next(store: Store, settings: Settings, now: datetime) -> None:
    """Batches that were written stay as they are; the rest follows."""
    publish(store, now, [f"{NEWS}, notice {i}" for i in range(5)])
    bench = Bench.of(*registry.live(store, now), settings)
    with store.write() as connection:
        done = assessments.backlog(connection, bench.model_id, now, limit=2)
        opinions = bench.assess([Judged(item.text, item.lang) for item in done])
        assessments.insert_all(connection, zip(done, opinions, strict=True), now)
        assessments.insert_all(connection, zip(done, opinions, strict=True), now + timedelta(hours=1))
    assert assess(store, settings, now).counts["assessed"] == 3
    with store.read() as connection:
        rows = [assessments.for_item(connection, id) for id in range(1, 6)]
    assert [len(found) for found in rows] == [1] * 5
    assert rows[0][0]["assessed_at"] == now


def test_one_item_that_cannot_be_assessed_holds_up_no_other(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault that nobody knows yet: it is tried once a pass, named in the report and the log, and tried again."""
    publish(store, now, [NEWS, "poison", WITHDRAWN])
    read, asked = Watchlist.match, []

    def match(watchlist: Watchlist, text: str) -> tuple[Match, ...]:
        asked.append(text)
        if text == "poison":
            raise OverflowError
        return read(watchlist, text)

    monkeypatch.setattr(Watchlist, "match", match)
    report = assess(store, settings, now)
    assert (report.counts["assessed"], report.counts["flagged"]) == (2, 1)
    assert report.problems == ("item 2 cannot be assessed: OverflowError",)
    assert "item 2" in caplog.text
    assert asked.count("poison") == 2  # with its batch, and by itself
    assert assess(store, settings, now).problems == report.problems
    monkeypatch.setattr(Watchlist, "match", read)
    assert assess(store, settings, now).counts["assessed"] == 1


def test_a_number_beyond_all_measure_is_assessed(store: Store, settings: Settings, now: datetime) -> None:
    """Digits and magnitudes without end are no figure, and stop nothing."""
    publish(
        store, now, ["文沛霖：共有1" + "亿" * 60 + "選民", f"Perry Man: {'9' * 400} voters, polls close at {'9' * 400}"]
    )
    report = assess(store, settings, now)
    assert (report.counts["assessed"], report.problems) == (2, ())


def test_the_live_models_opinion_counts_after_a_rollback(store: Store, settings: Settings, now: datetime) -> None:
    """Promoting the earlier model again takes back what its successor thought, wherever opinions are read."""
    publish(store, now, [WITHDRAWN])
    first = assess(store, settings, now).counts["model"]
    second = train(store, settings, now, [Example("The kiosk sells maps", Label.GENUINE, Lang.EN)])
    with store.write() as connection:
        models.promote(connection, second, now)
    assess(store, settings, now + timedelta(hours=1))
    group(store, settings, now)

    def in_force() -> set[object]:
        with store.read() as connection:
            latest = items.latest_assessment(connection, 1)
            (member,) = incident_facts.in_full(connection, 1)["items"]
        assert latest is not None
        return {latest["model_id"], member["model_id"]}

    assert in_force() == {second}
    with store.write() as connection:
        models.promote(connection, str(first), now)
    assert assess(store, settings, now + timedelta(hours=2)).counts["assessed"] == 0
    assert in_force() == {first}


def test_an_edited_item_is_assessed_again(store: Store, settings: Settings, now: datetime) -> None:
    """The earlier opinion stays with the earlier text."""
    publish(store, now, [NEWS])
    assess(store, settings, now)
    with store.write() as connection:
        items.edit(connection, items.get(connection, 1), Entry("a0", None, None, WITHDRAWN, "", None, None), now)
    assert assess(store, settings, now).counts["flagged"] == 1
    with store.read() as connection:
        assert [(row["revision"], row["flagged"]) for row in assessments.for_item(connection, 1)] == [
            (0, False),
            (1, True),
        ]


def test_a_new_model_assesses_the_window_again(store: Store, settings: Settings, now: datetime) -> None:
    """What was first seen in the last days, not what is older; what nobody assessed is never too old."""
    long_ago = now - timedelta(days=settings.assess.window_days, minutes=1)
    publish(store, long_ago, [NEWS], name="old")
    publish(store, now, [WITHDRAWN], name="new")
    assess(store, settings, now)
    id = train(store, settings, now, [Example("The kiosk sells maps", Label.GENUINE, Lang.EN)])
    with store.write() as connection:
        models.promote(connection, id, now)
    publish(store, long_ago, ["A tip that was never assessed"], name="late")
    report = assess(store, settings, now)
    assert report.counts == {"assessed": 2, "flagged": 1, "model": id}


@pytest.mark.parametrize("role", [Role.OFFICIAL, Role.FACTCHECK])
def test_official_and_factcheck_outlets_are_assessed_and_never_flagged(
    store: Store, settings: Settings, now: datetime, role: Role
) -> None:
    """The same words in the mouth of those who refute them."""
    publish(store, now, [WITHDRAWN], role=role)
    assert assess(store, settings, now).counts["flagged"] == 0
    with store.read() as connection:
        (row,) = assessments.for_item(connection, 1)
    assert row["reasons"][-1]["code"] == "role"


def test_the_configured_threshold_overrides_the_models(
    store: Store, configure: Callable[[str], Settings], now: datetime
) -> None:
    """At 0 everything is flagged that may be; at 1 nothing but certainty."""
    publish(store, now, [NEWS])
    assert assess(store, configure("[assess]\nthreshold = 0.0\n"), now).counts["flagged"] == 1
    model_id, model = registry.live(store, now)
    assert Bench.of(model_id, model, configure("[assess]\nthreshold = 1.0\n")).threshold == 1


def test_a_wrong_watchlist_stops_the_stage_before_it_writes(store: Store, settings: Settings, now: datetime) -> None:
    """One sentence that names the file; the texts stay in the backlog."""
    publish(store, now, [NEWS])
    settings.path(settings.files.watchlist).write_text("candidate = 3", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"watchlist\.toml"):
        assess(store, settings, now)
    with store.read() as connection:
        assert assessments.for_item(connection, 1) == []


def test_names_are_found_in_every_script_and_width(store: Store, settings: Settings, now: datetime) -> None:
    """Traditional, Simplified, Latin in both orders, full-width."""
    texts = [
        "卓望晴今日落區",
        "卓望晴今天落区",
        "Cheuk Mong-ching and Vivian Cheuk",
        "Ｖｉｖｉａｎ　Ｃｈｅｕｋ 出席",
        "戚启航與文沛霖",
    ]
    bench = Bench.of(*registry.live(store, now), settings)
    found = [{m.candidate_id for m in a.matches} for a in bench.assess([Judged(t, Lang.HANT) for t in texts])]
    assert found == [{"cheuk-mong-ching"}] * 4 + [{"chik-kai-hong", "man-pui-lam"}]


def test_of_the_demos_feeds_most_planted_items_are_flagged_and_few_others(settings: Settings) -> None:
    """The bundled samples: eight in ten falsehoods found, at most one in twenty genuine items flagged."""
    outlets = {feed["slug"]: feed for feed in seeds.toml("demo/feeds.toml")["feed"]}
    rows = list(seeds.json_lines("demo/items.jsonl"))
    bench = Bench.of(*registry.default_model(), settings)
    texts = [
        Judged(
            f"{row['title']}\n{row['summary']}",
            Lang(outlets[row["feed"]]["lang"]),
            row["link"],
            Role(outlets[row["feed"]]["role"]),
        )
        for row in rows
    ]
    flagged = {True: 0, False: 0}
    of = {True: 0, False: 0}
    for row, assessment in zip(rows, bench.assess(texts), strict=True):
        planted = row["planted"] is not None and row["planted"]["label"] != "genuine"
        of[planted] += 1
        flagged[planted] += assessment.flagged
    assert flagged[True] / of[True] >= 0.8
    assert flagged[False] / of[False] <= 0.05


def test_refutations_are_told_from_rumours_in_both_languages(settings: Settings) -> None:
    """The same claim asserted and taken back."""
    pairs = [
        ("文沛霖宣布退選，選票作廢", "選舉事務署澄清：文沛霖並無退選，網上傳言不實"),
        (
            "Sherry Long has dropped out of the race",
            "ESO refutes rumour that Sherry Long has dropped out, says it is unfounded",
        ),
    ]
    bench = Bench.of(*registry.default_model(), settings)
    for rumour, refutation in pairs:
        first, second = bench.assess([Judged(rumour, Lang.HANT), Judged(refutation, Lang.HANT)])
        assert first.flagged
        assert not second.flagged
        assert second.stance is Stance.REFUTES
        assert first.claim_type is ClaimType.CANDIDATE_STATUS
