"""Builds the two drills that ship: `python -m tests.drills.build` writes seeds/drills/*.jsonl.gz, the same each time.

What is planted stands word for word in harbour.txt and saltmarsh.txt; the innocent stories around it are drawn from
the lists and patterns of en.txt and zh.txt.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import opencc

HERE = Path(__file__).parent
OUT = HERE.parent.parent / "seeds" / "drills"
INNOCENT = 3_150
OPENING = 6  # items that each feed lists before the day begins
_PLACE = re.compile(r"\{([a-z]+(?:\|c)?|\d+-\d+)\}|\(([^()]*)\)")
_TWICE = re.compile(r"(\w[\w -]+) and \1\b|(\w{2,})與\2")
_NEWS = ("weather", "transport", "sport", "culture", "election", "opinion", "satire", "business", "court", "election")
_TOPICS = {
    "media": _NEWS,
    "community": ("town", "opinion", "satire", "sport", "weather", "town", "transport"),
    "official": ("election", "notices"),
    "factcheck": ("checks",),
}
_FORWARDED = {
    "en": ("Fwd: {}", "PLEASE SHARE: {}", "{} (just in)", "Got this from my aunt: {}", "!!! {}", "{} Pass it on"),
    "zh": ("轉發：{}", "求擴散！{}", "【急】{}", "啱啱收到：{}", "{}（請廣傳）", "朋友傳嚟：{}"),
}


@dataclass(frozen=True)
class World:
    """Where a drill plays."""

    name: str
    title: str
    day: datetime  # midnight at its beginning
    opens: str
    closes: str
    seed: int
    feeds: tuple[tuple[str, str, str, str, str], ...]  # name, outlet, role, language, format
    words: Mapping[str, Mapping[str, Sequence[str]]]  # by language: lists of the place
    outages: tuple[tuple[str, str, str, str], ...]  # feed, kind, from, to
    files: Mapping[str, str] = field(default_factory=dict)


_MONTHS = {"en": ("March", "June", "October", "spring", "autumn"), "zh": ("三月", "六月", "十月", "春季", "秋季")}
_ISSUES = {
    "en": (
        "bus fares",
        "school places",
        "harbour dredging",
        "clinic hours",
        "rents",
        "street lighting",
        "ferry subsidies",
    ),
    "zh": ("巴士收費", "學額", "海港疏浚", "診所時間", "租金", "街燈", "渡輪補貼"),
}
HARBOUR = World(
    "harbour",
    "Harbour City polling day 海港市投票日",
    datetime(2027, 3, 14),
    "8.30 am|10.30 pm|上午八時半|晚上十時半",
    "2027-03-14T08:30:00|2027-03-14T22:30:00",
    20270314,
    (
        ("eso-en", "Electoral Services Office", "official", "en", "rss2"),
        ("eso-zh", "選舉事務署", "official", "zh-Hant", "atom"),
        ("police", "Harbour City Police", "official", "en", "rss2"),
        ("harbour-daily", "Harbour Daily", "media", "en", "rss2"),
        ("lantern-radio", "Radio Lantern", "media", "en", "rss1"),
        ("evening-beacon", "Evening Beacon", "media", "en", "atom"),
        ("harbour-zh", "海港日報", "media", "zh-Hant", "rss2"),
        ("moon-times", "月升時報", "media", "zh-Hant", "atom"),
        ("hk-simplified", "灯塔网", "media", "zh-Hans", "rss2"),
        ("bay-talk", "翠灣街坊台", "community", "zh-Hant", "rss2"),
        ("osprey-board", "Osprey Valley Noticeboard", "community", "en", "atom"),
        ("lantern-forum", "Lantern Hill Forum", "community", "en", "rss2"),
        ("clear-water", "Clear Water Desk 清水查核", "factcheck", "en", "rss1"),
    ),
    {
        "en": {
            "place": (
                "Jade Bay North",
                "Kingfisher Point",
                "Lantern Hill",
                "Moonrise Island",
                "Osprey Valley",
                "Old Quay",
            ),
            "constituency": ("Jade Bay North", "Kingfisher Point", "Lantern Hill", "Moonrise Island"),
            "cand": ("Vivian Cheuk", "Marcus Chik", "Perry Man", "Sherry Long", "Casper Au Yeung", "Chi Hiu-laam"),
            "member": ("Vivian Cheuk of Lighthouse Alliance", "Marcus Chik of Banyan Forum", "Sherry Long of New Tide"),
            "party": ("Lighthouse Alliance", "Banyan Forum", "New Tide"),
            "office": ("the Electoral Services Office",),
            "stations": ("186",),
        },
        "zh": {
            "place": ("翠灣北", "翠鳥角", "燈籠山", "月升島", "魚鷹谷", "舊碼頭"),
            "constituency": ("翠灣北", "翠鳥角", "燈籠山", "月升島"),
            "cand": ("卓望晴", "戚啟航", "文沛霖", "郎雪盈", "歐陽澤楷", "池曉嵐"),
            "member": ("燈塔聯盟的卓望晴", "榕樹論壇的戚啟航", "新潮汐的郎雪盈"),
            "party": ("燈塔聯盟", "榕樹論壇", "新潮汐"),
            "office": ("選舉事務署",),
            "stations": ("186",),
        },
    },
    (
        ("harbour-daily", "500", "10:00", "10:50"),
        ("bay-talk", "html", "12:25", "12:55"),
        ("moon-times", "timeout", "15:00", "15:16"),
        ("lantern-forum", "503", "19:00", "19:30"),
    ),
)
SALTMARSH = World(
    "saltmarsh",
    "Saltmarsh polling day 鹽澤投票日",
    datetime(2027, 6, 20),
    "7 am|9 pm|上午七時|晚上九時",
    "2027-06-20T07:00:00|2027-06-20T21:00:00",
    20270620,
    (
        ("sec-en", "Saltmarsh Electoral Commission", "official", "en", "atom"),
        ("sec-zh", "選舉管理處", "official", "zh-Hant", "rss2"),
        ("saltmarsh-police", "Saltmarsh Police 鹽澤警隊", "official", "en", "rss2"),
        ("courier", "Saltmarsh Courier", "media", "en", "rss2"),
        ("tide-radio", "Tide Radio", "media", "en", "rss1"),
        ("salt-gazette", "The Salt Gazette", "media", "en", "atom"),
        ("courier-zh", "鹽澤快訊", "media", "zh-Hant", "rss2"),
        ("tern-satire", "燕鷗周刊", "media", "zh-Hant", "rss2"),
        ("isles-simplified", "长堤新闻网", "media", "zh-Hans", "atom"),
        ("heron-talk", "鷺灣街坊", "community", "zh-Hant", "rss2"),
        ("brine-board", "Brine Hills Board", "community", "en", "rss2"),
        ("dune-forum", "Dune Forum", "community", "en", "atom"),
        ("fact-heron", "Heron Fact Desk 蒼鷺查核", "factcheck", "en", "rss1"),
    ),
    {
        "en": {
            "place": ("Heron Reach", "Brine Hills", "Gull Corner", "Causeway Isles", "Pan Street Market", "Sluice End"),
            "constituency": ("Heron Reach", "Brine Hills", "Causeway Isles"),
            "cand": ("Raymond Ngai", "Joyce Sit", "Dennis Bau", "Phoebe Kei", "To Ting-hei"),
            "member": ("Raymond Ngai of Tern Coalition", "Joyce Sit of Common Ground League"),
            "party": ("Tern Coalition", "Common Ground League"),
            "office": ("the Saltmarsh Electoral Commission",),
            "stations": ("92",),
        },
        "zh": {
            "place": ("鷺灣", "鹹山", "海鷗角", "長堤群島", "鹽田街市", "水閘尾"),
            "constituency": ("鷺灣", "鹹山", "長堤群島"),
            "cand": ("倪卓楓", "薛漫月", "鮑梓樂", "紀詠芯", "陶霆熙"),
            "member": ("燕鷗聯合的倪卓楓", "同地連線的薛漫月"),
            "party": ("燕鷗聯合", "同地連線"),
            "office": ("選舉管理處",),
            "stations": ("92",),
        },
    },
    (
        ("courier", "500", "09:20", "10:05"),
        ("heron-talk", "html", "11:20", "11:50"),
        ("courier-zh", "timeout", "14:30", "14:46"),
        ("dune-forum", "503", "16:00", "16:25"),
    ),
    {"watchlist": "saltmarsh-watchlist.toml", "facts": "saltmarsh-facts.toml"},
)
WORLDS = (HARBOUR, SALTMARSH)


@dataclass(frozen=True)
class Grammar:
    """The patterns of one language and place, ready to draw from."""

    random: Random
    lists: dict[str, Sequence[str]]
    topics: Mapping[str, tuple[list[str], list[str]]]  # titles, sentences

    @classmethod
    def of(cls, lang: str, world: World, random: Random) -> Grammar:
        opens = world.opens.split("|")[:2] if lang == "en" else world.opens.split("|")[2:]
        lists: dict[str, Sequence[str]] = {
            **world.words[lang],
            "month": _MONTHS[lang],
            "topic": _ISSUES[lang],
            "opens": opens[:1],
            "closes": opens[1:],
        }
        topics: dict[str, tuple[list[str], list[str]]] = {}
        for line in (HERE / f"{lang}.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("="):
                name, _, words = line[1:].partition(":")
                lists[name.strip()] = [word.strip() for word in words.split("|")]
            elif line.startswith("["):
                current = topics.setdefault(line.strip("[]"), ([], []))
            elif line[:2] in ("T ", "S "):
                current[line[0] == "S"].append(line[2:])
        return cls(random, lists, topics)

    def story(self, topic: str, joint: str) -> tuple[str, str]:
        """A title and a text, in which nobody meets themselves."""
        titles, sentences = self.topics[topic]
        while True:
            number = self.random.randint(1, 3)
            drawn = [self.random.choice(titles), *self.random.sample(sentences, number)]
            title, *text = (filled[:1].upper() + filled[1:] for filled in map(self.fill, drawn))
            if not _TWICE.search(joint.join([title, *text])):
                return title, joint.join(text)

    def fill(self, pattern: str) -> str:
        """A pattern with everything chosen, the innermost first."""
        while match := _PLACE.search(pattern):
            slot, choices = match.groups()
            pattern = pattern[: match.start()] + self._one(slot, choices) + pattern[match.end() :]
        return pattern

    def _one(self, slot: str | None, choices: str | None) -> str:
        if slot is None:
            return self.random.choice((choices or "").split("|"))
        if slot[0].isdigit():
            low, _, high = slot.partition("-")
            return str(self.random.randint(int(low), int(high)))
        name, _, capital = slot.partition("|")
        word = self.random.choice(self.lists[name])
        return word[:1].upper() + word[1:] if capital else word


def read_plants(name: str) -> list[dict[str, Any]]:
    """The hand-written file of one world: ``claim_type, candidate, feed, at, flood, title, summary, others``.

    ``others`` are refutations and other wordings: ``kind`` (`>` or `~`), ``feed, at, title, summary``.
    """
    plants: list[dict[str, Any]] = []
    lines = (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    for head, title, summary in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        kind, *words = head.split()
        text = {"title": title, "summary": summary}
        if kind == "@":
            claim_type, candidate, feed, at, *flood = words
            number = int(flood[1]) if flood else 0
            known = {"claim_type": claim_type, "candidate": None if candidate == "-" else candidate, "flood": number}
            plants.append({**known, "feed": feed, "at": at, **text, "others": []})
        else:
            feed, at = words
            plants[-1]["others"].append({"kind": kind, "feed": feed, "at": at, **text})
    return plants


def rows(world: World) -> list[dict[str, Any]]:
    """The lines of one drill."""
    random = Random(world.seed)
    changes = [*_innocent(world, random), *_planted(world, random), *_outages(world)]
    opens, closes = world.closes.split("|")
    head: dict[str, Any] = {
        "drill": world.title,
        "zone": "Asia/Hong_Kong",
        "start": (world.day + timedelta(hours=5, minutes=30)).isoformat(),
        "end": (world.day + timedelta(hours=25, minutes=30)).isoformat(),
        "pass_s": 180,
        "election": {"name": world.title, "polling_opens": opens, "polling_closes": closes},
        **world.files,
        "feeds": [dict(zip(("feed", "outlet", "role", "lang", "format"), feed, strict=True)) for feed in world.feeds],
    }
    return [head, *sorted(changes, key=lambda change: change["at"])]


def _innocent(world: World, random: Random) -> Iterator[dict[str, Any]]:
    grammars = {lang: Grammar.of(lang, world, random) for lang in ("en", "zh")}
    simplify = opencc.OpenCC("t2s").convert
    weights = {"official": 2, "factcheck": 1, "media": 10, "community": 8}
    by_role = {feed[0]: feed for feed in world.feeds}
    drawn = random.choices(world.feeds, [weights[feed[2]] for feed in world.feeds], k=INNOCENT)
    opening = [feed for feed in world.feeds for _ in range(OPENING)]
    said: set[str] = set()
    opens, closes = (datetime.fromisoformat(each).hour for each in world.closes.split("|"))
    for number, (name, _, role, lang, _) in enumerate([*opening, *drawn]):
        early = number < len(opening)
        minute = 330 if early else _minute(random)
        grammar, joint = (grammars["en"], " ") if lang == "en" else (grammars["zh"], "")
        hour = max(min((minute - 30) // 60, closes), opens)
        grammar.lists["hour"], grammar.lists["turnout"] = [str(hour)], [f"{(hour - opens + 1) * 3.7:.1f}"]
        while True:
            topic = random.choice(_TOPICS[role] if name != "tern-satire" else ("satire", "culture", "opinion"))
            if topic == "election" and minute < opens * 60 + 100:
                topic = "notices"  # nobody can have voted yet
            title, summary = grammar.story(topic, joint)
            if title not in said:
                break
        said.add(title)
        if lang == "zh-Hans":
            title, summary = simplify(title), simplify(summary)
        story = {"guid": f"{name}-{number}", "title": title, "summary": summary}
        if early:
            story["published"] = _at(world, 330 - random.randint(5, 300))
        change = {"at": _at(world, minute, random.randint(0, 59)), "feed": by_role[name][0], "add": [story]}
        yield change
        if random.random() < 0.012:  # a title that is corrected later, or a story that is taken down
            later = {"at": _at(world, min(minute + random.randint(9, 90), 1520)), "feed": name}
            corrected = {**story, "title": f"{title} ({'updated' if lang == 'en' else '更新'})"}
            yield {**later, "add": [corrected]} if random.random() < 0.6 else {**later, "remove": [story["guid"]]}


def _minute(random: Random) -> int:
    """Of the day, most often in its middle."""
    return int(random.triangular(331, 1500, 800))


def _planted(world: World, random: Random) -> Iterator[dict[str, Any]]:
    langs = {feed[0]: "en" if feed[3] == "en" else "zh" for feed in world.feeds}
    community = [feed[0] for feed in world.feeds if feed[2] == "community"]
    for number, plant in enumerate(read_plants(world.name), 1):
        id = f"{world.name[:1]}{number:02}"
        mark = {"plant": {"id": id, "claim_type": plant["claim_type"], "candidate": plant["candidate"]}}
        guid = f"{plant['feed']}-{random.randint(4_000, 9_999)}-{number}"
        yield _change(world, plant, guid, mark)
        for place, other in enumerate(plant["others"]):
            guid = f"{other['feed']}-{random.randint(4_000, 9_999)}-{number}-{place}"
            yield _change(world, other, guid, mark if other["kind"] == "~" else {"refutes": id})
        for copy in range(plant["flood"]):
            lang = langs[plant["feed"]]
            title = random.choice(_FORWARDED[lang]).format(plant["title"])
            at = _clock(plant["at"]) + 3 + copy // 3
            feed = random.choice([name for name in community if langs[name] == lang] or community)
            text = {"feed": feed, "at": f"{at // 60}:{at % 60:02}", "title": title, "summary": plant["summary"]}
            yield _change(world, text, f"{feed}-copy-{number}-{copy}", mark)


def _change(world: World, text: Mapping[str, Any], guid: str, mark: Mapping[str, Any]) -> dict[str, Any]:
    minute = _clock(text["at"])
    story = {"guid": guid, "title": text["title"], "summary": text["summary"], **mark}
    return {"at": _at(world, minute if minute >= 330 else minute + 1440), "feed": text["feed"], "add": [story]}


def _outages(world: World) -> Iterator[dict[str, Any]]:
    for feed, kind, begins, ends in world.outages:
        yield {"at": _at(world, _clock(begins)), "feed": feed, "outage": kind}
        yield {"at": _at(world, _clock(ends)), "feed": feed, "outage": ""}


def _clock(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _at(world: World, minute: int, second: int = 0) -> str:
    return (world.day + timedelta(minutes=minute, seconds=second)).isoformat()


def text_of(world: World) -> str:
    """A drill as it is shipped, unpacked."""
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows(world))


def main() -> None:
    """Write both."""
    for world in WORLDS:
        packed = gzip.compress(text_of(world).encode(), 9, mtime=0)
        (OUT / f"{world.name}.jsonl.gz").write_bytes(packed)
        print(f"{world.name}: {len(packed):,} bytes")


if __name__ == "__main__":
    main()
