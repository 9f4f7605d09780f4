"""The examples: keys, balance, variety; and what is refused."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from classifiers.examples import (
    IMPERSONATION_TYPES,
    SEED_FILE,
    SEED_KEYS,
    Example,
    parse_lines,
    read_example,
    read_file,
    seed_examples,
)
from monitor import seeds
from monitor.errors import InputError
from monitor.text import detect_lang, fold
from monitor.types import ClaimType, Label, Lang, Stance


def grams(text: str) -> set[str]:
    """Character 4-grams of the folded text."""
    folded = fold(text)
    return {folded[i : i + 4] for i in range(max(1, len(folded) - 3))}


def jaccard(a: set[str], b: set[str]) -> float:
    """Shared part of two sets of n-grams."""
    return len(a & b) / len(a | b)


def alike(sets: list[set[str]]) -> set[tuple[int, int]]:
    """Every pair that shares half of its n-grams, and some others.

    Such a pair shares an n-gram among the rarer half of each, for the other halves are too small to hold all it shares.
    (Chaudhuri, Ganti, Kaushik: "A primitive operator for similarity joins in data cleaning", ICDE 2006.)
    """
    found_in = Counter(gram for own in sets for gram in own)
    holders: defaultdict[str, list[int]] = defaultdict(list)
    pairs = set()
    for place, own in enumerate(sets):
        for gram in sorted(own, key=lambda gram: (found_in[gram], gram))[: len(own) // 2 + 1]:
            pairs |= {(other, place) for other in holders[gram]}
            holders[gram].append(place)
    return pairs


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """The seeds."""
    return seed_examples()


def test_every_seed_has_exactly_the_promised_keys_and_says_where_it_comes_from() -> None:
    """Keys as promised; source, passage and note are never empty."""
    for row in seeds.json_lines(SEED_FILE):
        assert tuple(row) == SEED_KEYS
        assert all(row[key].strip() for key in ("text", "source", "passage", "note"))


def test_seeds_are_balanced(examples: list[Example]) -> None:
    """At least 400; three tenths or more English and in each script of Chinese; as many false as genuine."""
    langs = Counter(example.lang for example in examples)
    assert len(examples) >= 400
    assert 0.3 <= langs[Lang.EN] / len(examples) <= 0.6
    assert langs[Lang.HANT] > langs[Lang.HANS] >= 0.3 * len(examples)
    for english in (True, False):
        part = [example for example in examples if (example.lang is Lang.EN) is english]
        assert 0.4 <= sum(example.suspicious for example in part) / len(part) <= 0.6
        assert {example.label for example in part} == set(Label)
        assert {example.stance for example in part} == set(Stance)
    assert {example.claim_type for example in examples} == {*ClaimType, None}


def test_length_says_nothing(examples: list[Example]) -> None:
    """Falsehoods and genuine texts are about equally long in both languages."""
    for english in (True, False):
        lengths: dict[bool, list[int]] = {True: [], False: []}
        for example in examples:
            if (example.lang is Lang.EN) is english:
                lengths[example.suspicious].append(len(example.text))
        means = {suspicious: sum(found) / len(found) for suspicious, found in lengths.items()}
        assert 0.75 <= means[True] / means[False] <= 1.33


def test_claim_types_agree_with_labels(examples: list[Example]) -> None:
    """An impersonation has a claim type of impersonation; a false information has none of those."""
    for example in examples:
        if example.label is Label.IMPERSONATION:
            assert example.claim_type in IMPERSONATION_TYPES, example.text
        if example.label is Label.FALSE_INFORMATION:
            assert example.claim_type not in IMPERSONATION_TYPES, example.text


def test_seed_languages_are_what_the_texts_show(examples: list[Example]) -> None:
    """English is marked English; script is not always certain from a short text, language is."""
    for example in examples:
        assert (detect_lang(example.text) is Lang.EN) == (example.lang is Lang.EN), example.text


def test_no_seed_nearly_repeats_another_or_a_sample_of_the_demo(examples: list[Example]) -> None:
    """Each text is its own: no two share half of their 4-grams, in any script or width; nor does the demo's text."""
    texts = [example.text for example in examples]
    sets = [grams(text) for text in texts]
    for i, j in alike(sets):
        assert jaccard(sets[i], sets[j]) < 0.5, (texts[i], texts[j])
    for row in seeds.json_lines("demo/items.jsonl"):
        for sample in (grams(row["title"]), grams(row["summary"])):
            assert all(jaccard(sample, own) < 0.4 for own in sets), row["title"]


def test_a_labelled_file_needs_only_text_and_label(tmp_path: Path) -> None:
    """Language is guessed, stance and claim type may be unknown."""
    file = tmp_path / "own.jsonl"
    file.write_text(
        '{"text": "票站今晚八時關門", "label": "false-information"}\n\n'
        '{"text": "Polls close at half past ten", "label": "genuine", "stance": "reports"}\n',
        encoding="utf-8",
    )
    first, second = read_file(file)
    assert (first.lang, first.stance, first.claim_type) == (Lang.HANT, None, None)
    assert (second.lang, second.stance) == (Lang.EN, Stance.REPORTS)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"label": "genuine"}', "`text`"),
        ('{"text": " ", "label": "genuine"}', "`text`"),
        ('{"text": 3, "label": "genuine"}', "`text`"),
        ('{"text": "x"}', "`label` is missing"),
        ('{"text": "x", "label": "fake"}', "`label` must be one of genuine, false-information, impersonation"),
        ('{"text": "x", "label": "genuine", "stance": ["asserts"]}', "`stance` must be one of"),
        (r'{"text": "half \ud83d", "label": "genuine"}', "surrogate"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, fault: str) -> None:
    """The error names file and line, and what is wrong, in one sentence."""
    file = tmp_path / "own.jsonl"
    file.write_text(f'{{"text": "fine", "label": "genuine"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_file(file)
    assert str(error.value).startswith(f"{file}, line 2: ")
    assert fault in str(error.value)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """Big5 bytes give one sentence."""
    file = tmp_path / "big5.jsonl"
    file.write_bytes('{"text": "投票", "label": "genuine"}'.encode("big5"))
    with pytest.raises(InputError, match="UTF-8"):
        read_file(file)


def test_a_whole_surrogate_pair_is_text() -> None:
    """An emoji written as two escapes is read as one character."""
    ((_, row),) = parse_lines([json.dumps({"text": "🙂"})], "in")
    assert row["text"] == "🙂"


def test_a_seed_with_a_key_too_many_is_refused() -> None:
    """A damaged seed file does not train."""
    row = dict.fromkeys(SEED_KEYS) | {"text": "x", "label": "genuine", "extra": 1}
    with pytest.raises(InputError, match="keys"):
        read_example(row, "line 1", keys=SEED_KEYS)


def test_a_byte_order_mark_and_a_line_separator_inside_a_text_are_no_faults(tmp_path: Path) -> None:
    """Spreadsheets write the one, word processors the other; JSON Lines end with a newline only."""
    file = tmp_path / "labels.jsonl"
    file.write_text('\ufeff{"text": "one\u2028two", "label": "genuine"}\n', encoding="utf-8")
    assert [example.text for example in read_file(file)] == ["one\u2028two"]


@pytest.mark.parametrize("line", ['{"text": NaN}', '{"text": "x", "id": ' + "9" * 5000 + "}", "[" * 100_000])
def test_what_is_not_quite_json_is_refused_with_its_line(line: str) -> None:
    """Numbers that are none, or that no machine counts, and endless brackets."""
    with pytest.raises(InputError, match="tips, line 1: not"):
        list(parse_lines([line], "tips"))
