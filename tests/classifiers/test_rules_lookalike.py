"""The look-alike rule: addresses that imitate, offices that seem to ask for codes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.rules.lookalike import imitation, one_edit
from monitor.types import ClaimType
from tests.classifiers.rule_case import findings, rules


@pytest.mark.parametrize(
    "host",
    [
        "es0-harbour.example",  # a digit for a letter
        "еso-harbour.example",  # Cyrillic
        "xn--so-harbour-jsi.example",
        "eso-harb0ur.test",
        "eso-habour.example",  # a letter left out
        "eso-harbuor.example",  # two swapped
        "eso-harbour-verify.example",
        "my-eso-harbour.example",
        "esoharbour.example",
        "eso-harbour.test",  # another suffix
        "eso-harbour.example.login.test",
        "www.eso-harbour-example.test",
        "po1ice.example",
        "police-example.test",
        "police-login.test",  # a common name with the words of a counter
        "police-secure-id.example",
        "eso.harbour.example",  # other dots and hyphens
        "eso-harbour.co.uk",
        "pollce.example",  # one letter under the same suffix
    ],
)
def test_imitations(host: str) -> None:
    """Confusable characters, one edit, added words, another suffix: found in the text and in the link."""
    for given_findings in (findings(f"登入https://{host}/a即可", None), findings("Login here", f"https://{host}/a")):
        (finding,) = given_findings
        assert (finding.rule, finding.claim_type) == ("lookalike-domain", ClaimType.IMPERSONATION_AUTHORITY)
        assert finding.evidence == host
        assert finding.rests_on.startswith("watchlist.toml: office ")


@pytest.mark.parametrize(
    "host",
    [
        "eso-harbour.example",
        "www.eso-harbour.example",
        "forms.eso-harbour.example",
        "police.example",
        "police.test",  # too common a name to be an imitation
        "harbour-daily.example",
        "harbour.example",
        "policy.example.test",
        "police-museum.test",
        "police.harbour-daily.example",
        "polite.test",
        "login.harbour-daily.example",
        "1.2.3",
    ],
)
def test_own_and_ordinary_domains(host: str) -> None:
    """Verified domains, their subdomains and other people's ordinary names give nothing."""
    assert rules(f"See https://{host}/a and {host}.", f"https://{host}/b") == []


@pytest.mark.parametrize(
    ("host", "claim_type"),
    [
        ("harbour-ledger-breaking.test", ClaimType.IMPERSONATION_MEDIA),
        ("harbour-1edger.example", ClaimType.IMPERSONATION_MEDIA),
        ("vivian-cheuk-donate.test", ClaimType.IMPERSONATION_CANDIDATE),
        ("vivian-cheuk.test", ClaimType.IMPERSONATION_CANDIDATE),
    ],
)
def test_whose_address_it_imitates(host: str, claim_type: ClaimType) -> None:
    """Outlets and candidates are imitated as offices are."""
    (finding,) = findings(f"New: https://{host}/story")
    assert (finding.rule, finding.claim_type) == ("lookalike-domain", claim_type)


@pytest.mark.parametrize(
    "address", ["https://eso-harbour.example@evil.test/a", "https://www.eso-harbour.example:443@evil.test"]
)
def test_a_verified_domain_before_an_at(address: str) -> None:
    """A browser goes to what stands behind the @."""
    (finding,) = findings(f"Login {address}")
    assert finding.rule == "lookalike-domain"
    assert "before the @" in finding.text


def test_a_mail_address_is_no_host() -> None:
    """Writing to an office is no imitation of it, and no link elsewhere."""
    assert rules("Write to desk@eso-harbour.example, your Electoral Services Office") == []


def test_the_firmest_imitation_counts() -> None:
    """Another word beside the name weighs less than a counter's words; a letter changed less than a confusable one."""
    weights = [findings(f"at {host}")[0].weight for host in ("vivian-cheuk.test", "pollce.example", "po1ice.example")]
    assert weights == [0.7, 0.9, 0.9]


def test_full_width_address() -> None:
    """An address in full-width letters is the same address."""
    assert rules("請到ｅｓｏ－ｈａｒｂｏｕｒ－ｉｄ．ｅｘａｍｐｌｅ登記") == ["lookalike-domain"]


def test_a_warning_may_name_the_address_but_not_be_one() -> None:
    """The electoral office may warn of the false page; a page on the false address that warns is still false."""
    text = "Beware: eso-harbour-verify.example is a fake page.\n切勿登入 eso-harbour-verify.example"
    assert rules(text, "https://eso-harbour.example/press/1") == []
    assert rules(text, "https://eso-harbour-verify.example/") == ["lookalike-domain"]


@pytest.mark.parametrize(
    "text",
    [
        "Electoral Services Office: your registration lapses tonight. Enter the verification code at renew-card.test",
        "【選舉事務署】閣下的選民登記即將失效，請於今晚回覆驗證碼：renew-card.test",
        "【选举事务署】您的选民登记即将失效，请输入银行卡密码：renew-card.test",
        "Harbour City Police: you must pay the release fee today, transfer at renew-card.test",
    ],
)
def test_an_office_asks(text: str) -> None:
    """An office's name, the reader addressed, a code or payment asked for, and a page that is not the office's."""
    (finding,) = findings(text)
    assert finding.rule == "office-asks"
    assert "renew-card.test" in finding.text


@pytest.mark.parametrize(
    "text",
    [
        "Electoral Services Office: enter your verification code at www.eso-harbour.example",
        "Electoral Services Office: never enter your verification code at renew-card.test",
        "選舉事務署呼籲市民：切勿在 renew-card.test 輸入你的驗證碼",
        "Police arrest man who told victims to enter your verification code at renew-card.test",
        "Harbour City Police opened a new station. Your paper has the pictures: harbour-daily.example",
        "選舉事務署提醒閣下於星期日投票，詳情見 harbour-daily.example",
    ],
)
def test_an_office_does_not_ask(text: str) -> None:
    """Its own page, warnings, crime news, nothing secret asked for: nothing."""
    assert rules(text) == []


@given(st.text("ab1-", max_size=8), st.text("ab1-", max_size=8))
def test_one_edit_is_symmetric(a: str, b: str) -> None:
    """One edit there is one edit back; equal words are none."""
    assert one_edit(a, b) == one_edit(b, a)
    assert not one_edit(a, a)


@given(st.text(max_size=60), st.text(max_size=60))
def test_hostile_links_break_nothing(text: str, link: str) -> None:
    """Any text and any link are read without an error."""
    rules(text, link)
    rules(f"http://{text}.eso", f"http://[{link}")
    imitation(text, "eso-harbour.example")


@pytest.mark.parametrize(
    "text",
    ["Perry Man " * 5000, "文沛霖" * 8000, "文沛霖\n" * 8000, "a." * 20_000, "Perry Man quit the big " * 2000,
     "(" * 20_000, "文沛霖編號" * 4000,
     "Perry Man" + " " * 40_000 + "x", "polling station in a " * 3000, "九" * 20_000],
)  # fmt: skip
def test_hostile_texts_take_no_more_time_than_their_length(text: str) -> None:
    """A text built to make patterns backtrack is read in about the time of any other of its length."""
    started = time.process_time()
    rules(text)
    assert time.process_time() - started < 3
