"""What people do to clarifications, and what the rest of the desk makes of them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerts import clarifications, digest, queue
from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.edition import edition
from alerts.status import status
from monitor.errors import InputError, NotFoundError, RefusedError, UnfitActError
from monitor.store import Store, audit, claims, inhibitions
from monitor.types import Decision, Finding, Lang, Said, Verdict
from tests.alerts.clarifying import RUMOUR, Desk, complete, corrected, publishing
from tests.alerts.rows import WITHDRAWN, add_incident

ENGLISH = (
    "Neighbourhood groups say that polling stations close early, at eight tonight, and that people must hurry to vote"
)


@pytest.fixture
def desk(store: Store, folder: Path, now: Any) -> Desk:
    return Desk(store, publishing(folder), now)


def _later(desk: Desk, **time: float) -> Desk:
    return Desk(desk.store, desk.settings, desk.now + timedelta(**time))


def test_a_draft_begins_with_what_the_desk_knows(desk: Desk) -> None:
    """What the rules rest on, in fixed words of both languages; the claim as quoted; whom to ask. Not yet complete
    where a person has to say something.
    """
    text = desk.text(desk.draft(desk.decided()))
    for words in (
        "[en fact]\nPolling stations close at 22:30 on polling day.\nsource: Electoral Services Office, notice of poll",
        "[zh-Hant fact]\n票站於投票日 22:30 關閉。\nsource: ",
        f"[zh-Hant claim]\n{RUMOUR}\n",
        "[en contact]\nTelephone 2345 6789\n",
        "# The verdict is in fixed words: Partly false: Part of the claim is not true.; 部分不實: ",
        "# Decided because: the notice of poll",
    ):
        assert words in text
    assert "change]" not in text
    vague = desk.draft(desk.decided("碼頭傳出怪事，大家都在說", findings=[], claim_type=None, matches=["x"]))
    with pytest.raises(UnfitActError) as caught:
        desk.approve(vague)
    assert "[en fact] is missing" in str(caught.value)


def test_a_draft_names_people_as_each_language_does(desk: Desk) -> None:
    """From the roster; a finding for which there are no fixed words is left to the editor."""
    odd = Finding(
        "lookalike", WITHDRAWN.claim_type, Said("x"), "x", "watchlist.toml: office eso: domains = eso.example", 0.9
    )
    where = f"{WITHDRAWN.rests_on}: status = validated since 2027-01-30"
    status_line = Finding("roster-status", WITHDRAWN.claim_type, Said("x"), "退選", where, 0.9)
    text = desk.text(desk.draft(desk.decided("卓望晴退選", findings=[status_line, odd])))
    assert "[en fact]\nVivian Cheuk is a validly nominated candidate.\nsource: Register of candidates" in text
    assert "[zh-Hant fact]\n卓望晴為獲有效提名的候選人。\nsource: 候選人名冊" in text
    assert text.count("fact]") == 2


def test_only_what_is_decided_to_be_clarified_is_drafted_and_once(desk: Desk) -> None:
    """Not what waits, nor what was dismissed; a second draft only after the first has ended."""
    add_incident(desk.store, desk.now, title="Another story")
    dispatch(desk.store, desk.settings, desk.now)
    with pytest.raises(RefusedError, match="not decided as one to clarify"):
        desk.draft(1)
    alert = desk.decided()
    first = desk.draft(alert)
    with pytest.raises(RefusedError, match=f"has clarification {first} already"):
        desk.draft(alert, "ben")
    clarifications.discard(desk.store, desk.settings, "ben", desk.now, first, "begun anew")
    second = desk.draft(alert)
    assert [row["state"] for row in clarifications.listing(desk.store, desk.settings)] == ["draft", "withdrawn"]
    assert second != first
    with pytest.raises(NotFoundError, match="clarifications list"):
        desk.approve(99)


def test_two_editors_at_once_lose_nothing(desk: Desk) -> None:
    """Whoever comes second with a text made from the older one is told, and so is who approves an older one."""
    id = desk.draft(desk.decided())
    read = desk.text(id)
    desk.edit(id, lambda text: text.replace("the facts", "what is so"), who="ben")
    with pytest.raises(RefusedError, match="revision 2 by now, not 1"):
        clarifications.edit(desk.store, desk.settings, "岑", desk.now, id, read.replace("the facts", "mine"), "f")
    with pytest.raises(RefusedError, match="revision 2 by now"):
        desk.approve(id, "岑", revision=1)
    with pytest.raises(InputError, match=f"text of clarification 7, not of {id}"):
        clarifications.edit(desk.store, desk.settings, "岑", desk.now, id, "[clarification 7, revision 2]", "f")
    assert desk.approve(id, "岑", revision=2)["state"] == "approved"


def test_a_decision_that_the_public_knows_of_is_not_undone_but_reopened(desk: Desk) -> None:
    """Until then it can be undone, and the draft waits for the next decision. Afterwards the page stands until it is
    corrected or withdrawn, and the lead is told which.
    """
    alert = desk.decided()
    id = desk.draft(alert)
    desk.approve(id)
    soon = _later(desk, minutes=2)
    queue.undo(desk.store, desk.settings, "maya", soon.now, alert)
    assert len(soon.publish().problems) == 1
    desk.decide(alert, Verdict.PARTLY_FALSE)
    assert [row["id"] for row in soon.publish().published] == [id]
    with pytest.raises(RefusedError) as caught:
        queue.undo(desk.store, desk.settings, "maya", soon.now, alert)
    assert caught.value.reason == "published"
    page = soon.file(f"en/2027-03-01-{id}.html")

    queue.reopen(desk.store, desk.settings, "lead", soon.now, alert, "the office has changed its hours")
    wanted = f"clarification {id} says partly_false, and alert {alert} is not to be clarified any more: correct or"
    assert any(wanted in problem for problem in status(desk.store, desk.settings, soon.now)["problems"])
    assert soon.publish().written == ()
    queue.take(desk.store, desk.settings, "maya", soon.now, alert)
    soon.decide(alert, Verdict.UNPROVEN)
    assert any("is unproven now" in problem for problem in status(desk.store, desk.settings, soon.now)["problems"])
    assert soon.file(f"en/2027-03-01-{id}.html") == page
    soon.edit(id, corrected)
    soon.approve(id)
    soon.publish()
    assert "Unproven" in soon.file(f"en/2027-03-01-{id}.html")
    assert not any("clarification" in problem for problem in status(desk.store, desk.settings, soon.now)["problems"])


def test_a_first_opinion_is_not_told_to_who_gives_the_second(desk: Desk) -> None:
    """The notes of a clarification say why its alert was decided, and nothing while it waits for a second opinion."""
    alert = desk.decided("卓望晴退選", Verdict.UNPROVEN, findings=[WITHDRAWN], matches=["cheuk-mong-ching"])
    id = desk.draft(alert)
    assert "# Decided because: the notice of poll" in desk.text(id)
    queue.reopen(desk.store, desk.settings, "lead", desk.now, alert, "look again")
    queue.take(desk.store, desk.settings, "ben", desk.now, alert)
    clarify, false = Decision.CLARIFY, Verdict.FALSE
    row = queue.decide(desk.store, desk.settings, "ben", desk.now, alert, clarify, false, "名單 SECRET")
    assert row["state"] == "second_review"
    assert "SECRET" not in json.dumps(desk.show(id), default=str)


def test_what_is_late_to_be_drafted_is_said(desk: Desk, folder: Path) -> None:
    """By the target of routes.toml, to a desk that publishes; once drafted it is no problem any more."""
    routes = folder / "routes.toml"
    text = routes.read_text(encoding="utf-8")
    assert "clarify = 60" in text
    configured = publishing(
        folder, "[election]\npolling_opens = 2027-03-01T08:30:00\npolling_closes = 2027-03-01T22:30:00\n"
    )
    here = Desk(desk.store, configured, desk.now)
    alert = here.decided()

    def late(hours: float) -> bool:
        found = clarifications.problems(desk.store, configured, desk.now + timedelta(hours=hours))
        return [said.text for said in found] == [f"alert {alert} was to be clarified by 13:30"]

    assert (late(0.9), late(1.1), late(24 * 8)) == (False, True, False)
    here.draft(alert)
    assert not late(1.1)


def test_the_digest_lists_what_was_clarified(desk: Desk) -> None:
    """With its address, in both parts of the mail, in JSON, and only in its period."""
    id = desk.published("街坊說票站 <b>八時</b> 關閉，請轉告親友趕快投票")
    desk.edit(id, lambda text: corrected(text).replace("the facts", "<i>the</i> facts"))
    desk.approve(id)
    _later(desk, minutes=5).publish()
    later = desk.now + timedelta(hours=1)
    summary = digest.compose(desk.store, desk.settings, desk.settings.calendar.local_date(later), later)
    assert [(row["id"], row["state"]) for row in summary.sections()["clarified"]] == [
        (id, "corrected"),
        (id, "published"),
    ]
    for lang, path in ((Lang.EN, "en"), (Lang.HANT, "zh-Hant")):
        made = edition(desk.settings, summary, lang)
        for form in (made.text, made.html):
            assert f"https://clarify.example/{path}/2027-03-01-{id}.html" in form
        assert "<i>the</i>" not in made.html
    tomorrow = desk.now + timedelta(days=3)
    assert (
        digest.compose(desk.store, desk.settings, desk.settings.calendar.local_date(tomorrow), tomorrow).clarified == []
    )


def test_what_a_page_quotes_is_a_known_claim_with_its_address(desk: Desk) -> None:
    """In each language that it was published in, and the items of its incident too; until it is withdrawn."""
    id = desk.draft(desk.decided())
    translated = f"[en claim]\n{ENGLISH}"
    desk.edit(id, lambda text: text.replace(f"[en claim]\n{RUMOUR}", translated))
    desk.approve(id)

    def known() -> set[tuple[str, str]]:
        with desk.store.read() as connection:
            return {(claim.text, claim.url) for claim in claims.known(connection, desk.settings.publish.base_url)}

    assert {url for _, url in known()} == {""}
    desk.publish()
    urls = desk.show(id)["urls"]
    assert {(ENGLISH, urls["en"]), (RUMOUR, urls["zh-Hant"])} < known()
    assert "" not in {url for _, url in known()}
    desk.withdraw(id)
    desk.approve(id)
    desk.publish()
    assert {url for _, url in known()} == {""}


def test_a_page_inhibits_the_claim_in_its_other_language(desk: Desk) -> None:
    """A repeat in English of what was clarified in Chinese stays quiet once the page quotes it in English, not before;
    whoever looks at it finds the page.
    """
    id = desk.draft(alert := desk.decided())
    add_incident(desk.store, desk.now, title=ENGLISH, lang="en", matches=[])
    dispatch(desk.store, desk.settings, desk.now)

    def hidden() -> list[tuple[str, Any]]:
        return [(row["title"], row["inhibited_by"]) for row in queue.listing(desk.store, now=desk.now, suppressed=True)]

    assert hidden() == []
    desk.edit(id, lambda text: text.replace(f"[en claim]\n{RUMOUR}", f"[en claim]\n{ENGLISH}"))
    desk.approve(id)
    dispatch(desk.store, desk.settings, desk.now)
    assert hidden() == []
    desk.publish()
    dispatch(desk.store, desk.settings, desk.now)
    assert hidden() == [(ENGLISH, alert)]
    (row,) = queue.listing(desk.store, now=desk.now, suppressed=True)
    shown = queue.show(desk.store, row["id"], desk.now)["clarification"]
    assert (shown["id"], shown["state"]) == (id, "published")
    with desk.store.read() as connection:
        assert [ruling.alert_id for ruling in inhibitions.rulings(connection, desk.now - timedelta(days=1))] == [alert]


def test_a_name_of_the_program_is_nobodys(desk: Desk) -> None:
    """Neither drafted, approved nor published by `clock` or by nobody."""
    alert = desk.decided()
    for name in ("clock", "", "\u200b"):
        with pytest.raises(UnfitActError):
            desk.draft(alert, name)
    id = desk.draft(alert)
    with pytest.raises(UnfitActError):
        desk.approve(id, "dispatch")
    desk.approve(id)
    with pytest.raises(UnfitActError):
        desk.publish(who="notify")


class _Line:
    """The command line of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, who: str = "maya", **more: Any) -> Result:
        return CliRunner().invoke(cli, ["-c", str(self.folder / "pollwatch.toml"), *words, "--reviewer", who], **more)

    def json(self, *words: str, who: str = "maya") -> Any:
        result = self(*words, "--json", who=who)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


def test_the_way_to_the_public_on_the_command_line(desk: Desk, folder: Path, tmp_path: Path) -> None:
    """Every step as a person takes it; `publish --json` promises `written`."""
    alert, line = desk.decided(), _Line(folder)
    id = line.json("clarifications", "draft", str(alert))["id"]
    text = CliRunner().invoke(cli, ["-c", str(folder / "pollwatch.toml"), "clarifications", "show", str(id)]).stdout
    file = tmp_path / "text.txt"
    file.write_text(text.replace("the facts", "when stations close"), encoding="utf-8")
    edited = line.json("clarifications", "edit", str(id), "--file", str(file))
    assert (edited["revision"], edited["title"]) == (2, "Voting procedure: when stations close")
    own = line("clarifications", "approve", str(id))
    assert (own.exit_code, own.exception.__class__) == (1, RefusedError)
    assert line.json("clarifications", "approve", str(id), "--revision", "2", who="ben")["approved_by"] == "ben"
    done = line.json("publish", who="lead")
    day = desk.settings.calendar.local_date(desk.show(id)["drafted_at"])
    assert f"en/{day}-{id}.html" in done["written"]
    assert line.json("publish", who="lead") == {"written": [], "published": [], "problems": []}
    withdrawn = line.json("clarifications", "withdraw", str(id), "--en", "It changed.", "--zh", "已更改。", who="ben")
    assert (withdrawn["state"], withdrawn["withdrawing"], withdrawn["public"]) == ("draft", True, True)
    kept = line.json("clarifications", "discard", str(id), "--reason", "it had not changed")
    assert (kept["state"], kept["withdrawing"]) == ("published", False)
    rows = CliRunner().invoke(cli, ["-c", str(folder / "pollwatch.toml"), "clarifications", "list", "--json"]).stdout
    assert [json.loads(row)["state"] for row in rows.splitlines()] == ["published"]
    with desk.store.read() as connection:
        actions = [entry["action"] for entry in audit.listing(connection, subject=f"clarification:{id}")]
    assert actions == [f"clarification.{act}" for act in ("draft", "edit", "approve", "publish", "withdraw", "discard")]


def test_the_editor_opens_and_no_word_is_lost(
    desk: Desk, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$EDITOR edits the text; one that cannot be taken is kept in a file; one that was not changed changes nothing."""
    id, line = desk.draft(desk.decided()), _Line(folder)
    editor = tmp_path / "editor"

    def edits(script: str) -> Result:
        editor.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        editor.chmod(0o755)
        monkeypatch.setenv("EDITOR", str(editor))
        return line("clarifications", "edit", str(id))

    assert "revision 2" in edits("sed -i 's/the facts/the hours/' \"$1\"; touch -d '+9 seconds' \"$1\"").stdout
    assert desk.show(id)["title"] == "Voting procedure: the hours"
    spoilt = edits("sed -i 's/en title/en titel/' \"$1\"; touch -d '+9 seconds' \"$1\"")
    assert spoilt.exit_code != 0
    assert "did you mean [en title]?" in str(spoilt.exception)
    kept = Path(spoilt.stderr.partition("--file ")[2].strip())
    assert "[en titel]" in kept.read_text(encoding="utf-8")
    kept.unlink()
    assert "revision 2" in edits("true").stdout


def test_files_that_cannot_be_read_are_named(desk: Desk, folder: Path, tmp_path: Path) -> None:
    """Missing, and not UTF-8: with the line."""
    id, line = desk.draft(desk.decided()), _Line(folder)
    big5 = tmp_path / "big5.txt"
    big5.write_bytes("[clarification 1, revision 1]\n[zh-Hant title]\n票站".encode("big5"))
    result = line("clarifications", "edit", str(id), "--file", str(big5))
    assert "big5.txt: line 3: is not UTF-8" in str(result.exception)
    result = line("clarifications", "edit", str(id), "--file", str(tmp_path / "none.txt"))
    assert "none.txt: cannot be read" in str(result.exception)
    text = desk.text(id)
    assert line("clarifications", "edit", str(id), "--file", "-", input=text).exit_code == 0


def test_a_contact_in_every_language_is_asked_for(store: Store, folder: Path, now: Any) -> None:
    """Where the settings have none, the editor writes one."""
    settings = publishing(folder)
    bare = settings.publish.model_copy(update={"contact_en": "", "contact_zh": ""})
    desk = Desk(store, settings.model_copy(update={"publish": bare}), now)
    id = desk.draft(desk.decided())
    with pytest.raises(UnfitActError, match=r"\[en contact\] is empty; \[zh-Hant contact\] is empty"):
        desk.approve(id)
    desk.edit(id, complete)
    assert desk.approve(id)["state"] == "approved"
