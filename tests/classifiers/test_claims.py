"""Known claims are found by what repeats them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import claims as matching
from classifiers.anchors import names_and_places
from classifiers.claims import CONFIRMED, LONGEST, Certainty, Index
from classifiers.examples import seed_examples
from monitor.text import fold
from monitor.types import Candidate, Claim
from tests.benchmarks.match import synthetic

KNOWN = {
    "boxes": "Ballot boxes from the hall in Heron Street were carried out at night by the market and counted twice.",
    "boxes-zh": "蒼鷺街禮堂的投票箱深夜被人經魚市場搬走，其後重複點算兩次，選票數目多出一倍。",
    "ferry": "The ferry company will refuse passengers who cannot show that they voted for the pier.",
    "ferry-zh": "渡輪公司將拒載未能證明自己曾投票支持碼頭方案的乘客。",
    "withdrawn": "Perry Man has withdrawn from the race in Kingfisher Point and 4,200 postal ballots are void.",
    "withdrawn-zh": "文沛霖退出翠鳥角選舉，4200張郵寄選票全部作廢。",
    "wristband": "Voters must wear a yellow wristband that records which candidate they chose.",
    "wristband-zh": "選民必須戴上黃色手環，手環會記錄所選的候選人。",
}
PEOPLE = names_and_places(
    [
        Candidate("man", ("文沛霖",), ("Perry Man",), constituency=("Kingfisher Point", "翠鳥角")),
        Candidate("chik", ("戚啟航",), ("Marcus Chik",), constituency=("Jade Bay North", "翠灣北")),
    ]
)


@pytest.fixture(scope="module")
def index() -> Index:
    """The claims above among a hundred texts without meaning."""
    made = Index(PEOPLE, background=[example.text for example in seed_examples()])
    made.add(Claim(id, text) for id, text in KNOWN.items())
    made.add(Claim(f"noise {number}", text) for number, text in enumerate(synthetic(100, seed=3)))
    return made


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "They counted the ballot boxes of Heron St twice!! Carried off at night, past the market #HeronStreet",
            "boxes",
        ),
        ("深夜有人將蒼鷺街禮堂嘅票箱經魚市場搬走，之後點咗兩次票", "boxes-zh"),
        ("深夜有人把苍鹭街礼堂的票箱经鱼市场搬走，之后点票两次", "boxes-zh"),
        ("Fact check: no, ferries are not refusing passengers who did not vote for the pier", "ferry"),
        ("網傳渡輪拒載無投票支持碼頭嘅乘客？假嘅", "ferry-zh"),
        ("ＶＯＴＥＲＳ　ｍｕｓｔ　ｗｅａｒ　ａ　ｙｅｌｌｏｗ　ｗｒｉｓｔｂａｎｄ", "wristband"),
    ],
)
def test_other_words_and_scripts_find_the_claim(index: Index, text: str, wanted: str) -> None:
    """A post, a headline or a fact-check about a claim has it first, in either Chinese script and any width."""
    assert index.match(text)[0].claim.id == wanted


def test_mixed_text_finds_the_claim_in_both_languages(index: Index) -> None:
    """Its Chinese words find the one, its Latin words the other."""
    found = [repeat.claim.id for repeat in index.match("【查核】選民要戴黃色手環 yellow wristband？")]
    assert set(found[:2]) == {"wristband", "wristband-zh"}


def test_a_close_wording_is_confirmed_and_a_loose_or_short_one_suggested(index: Index) -> None:
    """What reviewers may rely on is told from what is for their eyes."""
    kinds = {
        text: {repeat.claim.id: repeat.certainty for repeat in index.match(text)}[wanted]
        for text, wanted in (
            (KNOWN["boxes"].replace("at night", "overnight"), "boxes"),
            ("Heard today: ballot boxes in the hall at Heron Street were carried out at night, counted twice", "boxes"),
            ("苍鹭街礼堂的投票箱深夜被搬走，重复点算两次，选票多出一倍！", "boxes-zh"),
            ("ballot boxes counted twice", "boxes"),
            ("Boxes counted twice at Heron Street", "boxes"),
            ("票箱重複點算", "boxes-zh"),
        )
    }
    assert list(kinds.values()) == [Certainty.CONFIRMED] * 3 + [Certainty.SUGGESTED] * 3


@pytest.mark.parametrize(
    ("id", "old", "new"),
    [
        ("withdrawn", "Perry Man", "Marcus Chik"),
        ("withdrawn", "4,200", "9,100"),
        ("withdrawn-zh", "4200張", "九千一百張"),
        ("withdrawn-zh", "文沛霖", "戚啟航"),
    ],
)
def test_another_name_or_number_is_another_claim(index: Index, id: str, old: str, new: str) -> None:
    """One wording about somebody else, or with another figure, is never confirmed; the same with more to it is."""
    (changed,) = [found for found in index.match(KNOWN[id].replace(old, new)) if found.claim.id == id]
    assert changed.similarity >= CONFIRMED
    assert changed.certainty is Certainty.SUGGESTED
    assert index.match(KNOWN[id] + " 2027?")[0].certainty is Certainty.CONFIRMED


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("文沛霖已退選，四千二百張郵寄選票作廢", "withdrawn"),
        ("文沛霖已退选，四千二百张邮寄选票作废", "withdrawn"),
        (
            "Is it true that 4,200 postal ballots are lost now that Perry Man is out at Kingfisher Point?",
            "withdrawn-zh",
        ),
    ],
)
def test_names_and_numbers_cross_languages(index: Index, text: str, wanted: str) -> None:
    """A claim known in the other language is suggested by name and figure, and never confirmed."""
    found = {repeat.claim.id: repeat for repeat in index.match(text)}
    assert found[wanted].certainty is Certainty.SUGGESTED


def test_one_number_or_one_name_does_not_cross_languages() -> None:
    """Every election has a year and a candidate: they alone lead nowhere."""
    index = Index(PEOPLE)
    index.add([Claim("en", "In 2027 Perry Man will close the library."), Claim("other", "Rain is expected in 2027.")])
    assert index.match("2027年碼頭重建") == []
    assert index.match("文沛霖參觀碼頭") == []


def test_answers_are_few_ranked_and_one_a_claim() -> None:
    """Several wordings are one claim; the most similar stands first; the limit holds; similarity is within 0 and 1."""
    index = Index(background=[example.text for example in seed_examples()])
    text = "The clock tower at Saffron Square will be locked on polling day"
    index.add(Claim(f"claim {number % 30}", f"{text} word{number}") for number in range(90))
    found = index.match(text, limit=20)
    assert len(found) == 20 == len({repeat.claim.id for repeat in found})
    similarities = [repeat.similarity for repeat in found]
    assert similarities == sorted(similarities, reverse=True)
    assert 0 < similarities[-1] <= similarities[0] <= 1
    assert index.match(text + " word7")[0].similarity == pytest.approx(1.0, abs=1e-4)


def test_the_headline_of_a_fact_check_is_read_too() -> None:
    """The bare claim and the headline over it are one wording."""
    index = Index()
    index.add(
        [
            Claim("a", "It was locked.", headline="Did they lock the clock tower at Saffron Square?"),
            Claim("b", "It was not."),
        ]
    )
    assert index.match("clock tower locked, Saffron Square")[0].claim.id == "a"


@pytest.mark.parametrize("text", ["", " ", "…！", "\u200b\u202e", "https://harbour.example/"])
def test_texts_without_words_match_nothing(index: Index, text: str) -> None:
    """Neither asked nor known."""
    assert index.match(text) == []
    empty = Index()
    assert empty.match("anything") == []
    empty.add([Claim("nothing", text)])
    assert empty.claims == []


def test_many_claims_are_found_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inverted or compared one by one, added at once or one at a time, the first answers are the same."""
    texts = list(synthetic(300, seed=4))
    claims = [Claim(str(number), text) for number, text in enumerate(texts)]
    monkeypatch.setattr(matching, "_TAIL", 10_000)
    one_by_one = Index()
    one_by_one.add(claims)
    monkeypatch.setattr(matching, "_TAIL", 20)
    inverted = Index()
    for claim in claims:
        inverted.add([claim])
    questions = [" ".join(text.split()[::2]) if " " in text else text[: len(text) // 2] for text in texts[:60]]
    for question in questions:
        ours, theirs = inverted.match(question), one_by_one.match(question)
        assert [(r.claim.id, r.similarity) for r in ours[:3]] == [(r.claim.id, r.similarity) for r in theirs[:3]]


def test_what_every_claim_says_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that too many claims hold cost nothing; a rare word beside them finds its claim all the same."""
    monkeypatch.setattr(matching, "_TAIL", 32)
    monkeypatch.setattr(matching, "_POSTINGS", 20)
    index = Index()
    index.add([Claim("rare", "polls close early at the lighthouse")])
    index.add(Claim(str(number), f"polls close early here {number}") for number in range(63))
    assert index.match("polls close early") == []
    assert index.match("polls close early, lighthouse")[0].claim.id == "rare"


def test_only_the_beginning_of_a_text_is_read() -> None:
    """A text without end costs what one of a thousand letters does."""
    index = Index()
    index.add([Claim("known", "The clock tower will be locked"), Claim("long", "x" * LONGEST + " lighthouse")])
    assert index.match(" " * LONGEST + "The clock tower will be locked") == []
    assert index.match("lighthouse") == []


def test_answers_are_the_same_in_every_process() -> None:
    """Nothing of the process enters a similarity."""
    program = (
        "import sys; from classifiers.claims import Index; from monitor.types import Claim; i = Index(); "
        "i.add(Claim(str(n), t) for n, t in enumerate(sys.argv[1:])); "
        "print([(r.claim.id, r.similarity) for r in i.match(sys.argv[1])])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program, *KNOWN.values()],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(answers) == 1


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_texts_can_be_compared(one: str, other: str) -> None:
    """No text breaks it; a text with a word repeats itself."""
    index = Index(PEOPLE)
    index.add([Claim("one", one), Claim("other", other)])
    for known in index.claims:
        assert index.match(known.text)[0].similarity == pytest.approx(1.0, abs=1e-4)


NOTICE_ZH = "翠灣選舉事務處今日下午四時在大會堂舉行簡報會，介紹{}選區的點票安排，並回答傳媒提問，敬請留意直播"


@pytest.mark.parametrize("to", ["zh-Hant", "zh-Hans"])
def test_regular_notices_in_chinese_are_not_one_claim(to: str) -> None:
    """Of two notices in one wording neither is confirmed for a third; alone, the same words in either script are."""
    index = Index()
    index.add([Claim("heron", NOTICE_ZH.format("鷺洲"))])
    asked = NOTICE_ZH.format("鷺洲") + "（附地圖）"
    if to == "zh-Hans":
        asked = fold(asked)
    assert index.match(asked)[0].certainty is Certainty.CONFIRMED
    index.add([Claim("coral", NOTICE_ZH.format("珊瑚灘"))])
    third = index.match(NOTICE_ZH.format("松林"))
    assert [repeat.certainty for repeat in third] == [Certainty.SUGGESTED] * 2
    assert index.match(NOTICE_ZH.format("松林"), limit=1)[0].certainty is Certainty.SUGGESTED


def test_a_dropped_claim_is_not_found() -> None:
    """It leaves room for the others, and stands in nobody's way."""
    texts = [NOTICE_ZH.format(place) for place in ("鷺洲", "珊瑚灘")]
    index = Index()
    index.add([Claim("heron", texts[0]), Claim("coral", texts[1])])
    index.drop(0)
    (left,) = index.match(texts[1])
    assert (left.claim.id, left.certainty) == ("coral", Certainty.CONFIRMED)


@pytest.mark.shared
def test_real_claims_are_found(shared: Path) -> None:
    """Recall@5 of texts that repeat a fact-checked claim, and the precision of what is confirmed (issue 4)."""
    folder = shared / "text"
    index = Index(background=[example.text for example in seed_examples()])
    for line in (folder / "dev_match_corpus.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        index.add([Claim(row["claim_id"], row["text"], headline=row["title"])])
    hits, sure = [], []
    for line in (folder / "dev_match_queries.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found = index.match(row["text"])
        hits.append(any(repeat.claim.id in row["rel"] for repeat in found[:5]))
        sure += [repeat.claim.id in row["rel"] for repeat in found if repeat.certainty is Certainty.CONFIRMED]
    assert sum(hits) / len(hits) >= 0.94
    assert len(sure) >= 60
    assert sum(sure) / len(sure) >= 0.95
