"""Invented stories by the thousand, no two alike: what feeds of benchmarks tell."""

from __future__ import annotations

import random

_FALSE = (  # of a candidate, of the poll, of a page: roster, facts and model all object to one of them
    ("{name} has withdrawn from the race in {place}", "A leaflet at {place} claims that {name} is no candidate now."),
    ("{han}已經退選，{spot}街坊收到通知", "{spot}有人派傳單，話{han}已經不再是候選人。"),
    ("Polling stations at {place} close at 6 pm, says a message", "Go before 6 pm or you cannot vote, it says."),
    ("{han}的選舉網站要求{spot}市民輸入銀行密碼", "有短訊叫人登入戶口領取{spot}補貼。"),
)
_NEWS = (
    ("Market at {place} opens again after the typhoon", "Stalls are back, and the fishmongers of {place} are pleased."),
    ("{spot}渡輪加密班次", "渡輪公司說{spot}碼頭的班次下星期起每小時多兩班。"),
    ("{name} visits the library of {place}", "Readers asked about opening hours and the leaking roof."),
    ("Ｋｉｔｅ　ｆｅｓｔｉｖａｌ　ａｔ {place}", "Hundreds of kites are expected on the hill behind {place}."),
    ("{spot}小学开放日", "学生在{spot}表演舞狮，家长都来了。"),
)
_NAMES = (("Vivian Cheuk", "卓望晴"), ("Marcus Chik", "戚啟航"), ("Perry Man", "文沛霖"), ("Sherry Long", "郎雪盈"))


def story(dice: random.Random, falsehoods: float) -> tuple[str, str]:
    """A title and a summary; so large a share of them is false."""
    name, han = dice.choice(_NAMES)
    words = {"name": name, "han": han, "place": f"{word(dice).title()} {word(dice).title()}", "spot": f"{word(dice)}灣"}
    title, summary = dice.choice(_FALSE if dice.random() < falsehoods else _NEWS)
    return title.format(**words), summary.format(**words)


def word(dice: random.Random) -> str:
    """One that no language has."""
    return "".join(dice.choice("bdfgklmnprstvz") + dice.choice("aeiou") for _ in range(3))
