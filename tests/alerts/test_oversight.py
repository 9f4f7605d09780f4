"""The pack for oversight: what an outsider needs, and a verifier that finds whatever was changed in it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from alerts import oversight, queue, silences
from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.oversight_verify import Broken, Pack, verify
from alerts.suppression import SilenceMatchers
from classifiers import registry
from classifiers.lessons import seed_lessons
from monitor.config import Settings
from monitor.errors import InputError
from monitor.store import Store, models
from monitor.types import Decision, Verdict
from tests.alerts.rows import WITHDRAWN, add_incident, unlock_audit
from tests.conftest import NOW

HOSTILE = '=1+1 選舉事務署說仍在名單, "quoted" ﷺ 1.5e300'


@pytest.fixture(scope="module")
def model_row() -> dict[str, Any]:
    """The model of the seeds as it is registered; trained once."""
    return registry.build(seed_lessons(), NOW)[0]


@pytest.fixture
def period(store: Store, settings: Settings, now: datetime, model_row: dict[str, Any]) -> tuple[datetime, datetime]:
    """A decision that was taken back, one that stands, and a silence; a decision of the day before."""
    add_incident(store, now, findings=[WITHDRAWN])
    add_incident(store, now, title="Marcus Chik is funded from abroad", matches=["chik-kai-hong"], lang="en")
    add_incident(store, now, title="Perry Man quits", matches=["man-pui-lam"], lang="en")
    add_incident(store, now, title="Sherry Long is a robot", matches=["long-suet-ying"], lang="en")
    with store.write() as connection:
        models.put(connection, model_row)
    dispatch(store, settings, now)
    later = now + timedelta(days=1)
    for alert_id, moment in ((3, now), (1, later), (2, later)):
        queue.take(store, settings, "maya 岑", moment, alert_id)
        queue.decide(store, settings, "maya 岑", moment, alert_id, Decision.REFER, Verdict.FALSE, HOSTILE)
    queue.undo(store, settings, "maya 岑", later + timedelta(seconds=5), 2)
    matchers = SilenceMatchers.model_validate({"lang": "en"})
    silences.add(store, settings, matchers, "ben", "a programme", later, later + timedelta(hours=2))
    return later, later + timedelta(days=1)


@pytest.fixture
def pack(store: Store, settings: Settings, tmp_path: Path, period: tuple[datetime, datetime]) -> Path:
    """The pack of the second day, in a folder."""
    oversight.export(store, settings, tmp_path / "pack", *period, period[1])
    return tmp_path / "pack"


def _verify(*arguments: Path, script: Path) -> subprocess.CompletedProcess[str]:
    """As an outsider does: no site packages, no environment, no folder of ours."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )


def _resealed(pack: Path, *names: str) -> None:
    """Whoever changed these files also wrote their hashes into the manifest, and its own beside it."""
    manifest = json.loads((pack / "manifest.json").read_bytes())
    for name in names:
        body = (pack / name).read_bytes()
        manifest["files"][name] = {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    (pack / "manifest.json").write_text(json.dumps(manifest))
    digest = hashlib.sha256((pack / "manifest.json").read_bytes()).hexdigest()
    (pack / "manifest.sha256").write_text(f"{digest}  manifest.json\n")


def test_it_holds_what_an_outsider_needs(pack: Path) -> None:
    """The decisions of the period with their reasons, silences, parity, cards, the whole chain."""
    names = {each.relative_to(pack).as_posix() for each in pack.rglob("*") if each.is_file()}
    (card,) = (pack / "cards").iterdir()
    plain = "README.txt audit.jsonl clarifications.jsonl counts.json decisions.jsonl manifest.json manifest.sha256"
    assert names == {*plain.split(), "models.jsonl", "parity.json", "silences.jsonl", "verify.py", f"cards/{card.name}"}
    rows = [json.loads(line) for line in (pack / "decisions.jsonl").read_bytes().splitlines()]
    assert [(row["alert_id"], row["reviewer"], row["reason"]) for row in rows] == [
        (1, "maya 岑", HOSTILE),
        (2, "maya 岑", HOSTILE),
    ]
    assert [row["withdrawn_by"] is None for row in rows] == [True, False]
    (silence,) = [json.loads(line) for line in (pack / "silences.jsonl").read_bytes().splitlines()]
    assert (silence["author"], silence["reason"], silence["suppressed"]) == ("ben", "a programme", 1)
    assert json.loads((pack / "counts.json").read_bytes())["decisions_in_force"] == 1
    assert {"candidates", "camps", "warnings"} <= set(json.loads((pack / "parity.json").read_bytes()))
    assert "figures" in json.loads(card.read_bytes())


def test_the_verifier_needs_nothing_but_python(pack: Path) -> None:
    """Isolated, without site packages, from any folder; it prints the head of the chain."""
    done = _verify(script=pack / "verify.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((pack / "manifest.json").read_bytes())["audit"]["hash"] in done.stdout
    assert "decisions that stand in the audit: 2\n" in done.stdout
    assert "(purged since, or left out): 0\n" in done.stdout


def test_a_decision_that_was_left_out_is_counted(pack: Path) -> None:
    """A purge takes decisions with their alerts, so it is no breach; but nobody can keep one back unseen."""
    body = (pack / "decisions.jsonl").read_bytes()
    (pack / "decisions.jsonl").write_bytes(body.splitlines(keepends=True)[0])
    _resealed(pack, "decisions.jsonl")
    done = _verify(script=pack / "verify.py")
    assert done.returncode == 0
    assert "decisions that stand in the audit: 1\n" in done.stdout
    assert "(purged since, or left out): 1\n" in done.stdout


def test_a_zip_is_checked_as_it_is(
    store: Store, settings: Settings, tmp_path: Path, period: tuple[datetime, datetime], pack: Path
) -> None:
    """Without unpacking it; a file that was added, or stands in it twice, is named."""
    target = tmp_path / "pack.zip"
    oversight.export(store, settings, target, *period, period[1])
    assert _verify(target, script=pack / "verify.py").returncode == 0
    whole = target.read_bytes()
    place = whole.index(b"decisions.jsonl") + 40  # within its packed bytes
    target.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert _verify(target, script=pack / "verify.py").returncode == 1
    target.write_bytes(whole)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("more.txt", "x")
    done = _verify(target, script=pack / "verify.py")
    assert (done.returncode, done.stderr) == (1, "BROKEN: more.txt does not belong to this pack\n")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(target, "a") as archive:
        archive.writestr("counts.json", "{}")
    assert "two files of one name" in _verify(target, script=pack / "verify.py").stderr
    target.write_bytes(b"no archive")
    assert _verify(target, script=pack / "verify.py").returncode == 2


@pytest.mark.usefixtures("period")
def test_whatever_file_is_changed_or_gone_is_named(pack: Path) -> None:
    """Every kind of file, the manifest and the verifier too: changed by one byte, cut, removed, replaced by a link."""
    script = pack.parent / "verify.py"
    script.write_bytes((pack / "verify.py").read_bytes())
    for file in sorted(each for each in pack.rglob("*") if each.is_file()):
        name, body = file.relative_to(pack).as_posix(), file.read_bytes()
        flipped = bytes([body[len(body) // 2] ^ 1]) if body else b"x"
        for changed in (body[: len(body) // 2] + flipped + body[len(body) // 2 + 1 :], body + b"\n", b""):
            if changed != body and not (name == "manifest.sha256" and changed.strip() == body.strip()):
                file.write_bytes(changed)
                with pytest.raises(Broken, match=name.replace(".", r"\.")):
                    verify(Pack(pack))
        file.unlink()
        with pytest.raises(Broken, match=f"{name} is missing"):
            verify(Pack(pack))
        file.write_bytes(body)
        assert len(verify(Pack(pack))) == 7
    (pack / "counts.json").rename(pack.parent / "counts.json")
    (pack / "counts.json").symlink_to(pack.parent / "counts.json")
    assert _verify(pack, script=script).stderr == "BROKEN: counts.json is a link to elsewhere\n"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("audit.jsonl", b'"actor": "maya', b'"actor": "nora', "was changed after it was written"),
        ("audit.jsonl", None, b"", "the audit ends at entry"),
        ("decisions.jsonl", b'"verdict": "false"', b'"verdict": "true"', "does not stand in the audit"),
        ("decisions.jsonl", b'"reviewer": "maya', b'"reviewer": "nora', "does not stand in the audit"),
        ("models.jsonl", b'"card_sha256": "', b'"card_sha256": "0', "is not the card"),
        ("models.jsonl", b'"cards/', b'"../cards/', "is no name of a file of this pack"),
        ("decisions.jsonl", b"{", b"[", "is no JSON"),
        ("decisions.jsonl", b'"alert_id"', b'"alert"', "not as this program writes"),
    ],
)
def test_a_pack_with_fitting_hashes_still_cannot_lie(
    pack: Path, name: str, old: bytes | None, new: bytes, message: str
) -> None:
    """The chain holds the acts: an entry, a decision or a card that was rewritten with its hashes is found."""
    body = (pack / name).read_bytes()
    lines = body.splitlines(keepends=True)
    (pack / name).write_bytes(b"".join(lines[:-1]) if old is None else body.replace(old, new, 1))
    _resealed(pack, name)
    done = _verify(script=pack / "verify.py")
    assert done.returncode == 1, done.stdout
    assert message in done.stderr


def test_names_in_a_manifest_lead_nowhere(pack: Path) -> None:
    """A hostile pack cannot make the verifier read another file, nor steer a terminal."""
    manifest = json.loads((pack / "manifest.json").read_bytes())
    manifest["files"]["../outside\x1b[2J"] = {"sha256": "0" * 64, "bytes": 1}
    (pack / "manifest.json").write_text(json.dumps(manifest))
    _resealed(pack)
    done = _verify(script=pack / "verify.py")
    assert done.returncode == 1
    assert "\x1b" not in done.stderr


def test_by_line(store: Store, settings: Settings, tmp_path: Path, period: tuple[datetime, datetime]) -> None:
    """The manifest as JSON; a broken chain is exported and the answer is no; nothing is overwritten."""
    start, end = (moment.isoformat() for moment in period)
    base = ["-c", settings.file, "audit", "export", "--oversight", "--since", start, "--until", end]
    done = CliRunner().invoke(cli, [*base, str(tmp_path / "a.zip"), "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["decisions"] == 2
    assert "wrote 2 decisions" in CliRunner().invoke(cli, [*base, str(tmp_path / "b")]).stdout
    refused = CliRunner().invoke(cli, ["-c", settings.file, "audit", "export", "--until", end, str(tmp_path / "c")])
    assert refused.exit_code == 2
    with pytest.raises(InputError, match="is there already"):
        oversight.export(store, settings, tmp_path / "b", *period, period[1])
    with store.write() as connection:
        unlock_audit(connection)
        connection.execute(text("UPDATE audit SET actor = 'ben' WHERE seq = 2"))
    broken = CliRunner().invoke(cli, [*base, str(tmp_path / "d")])
    assert broken.exit_code == 1
    assert "entry 2 was changed" in _verify(script=tmp_path / "d" / "verify.py").stderr
