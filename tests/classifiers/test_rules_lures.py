"""The lure rules: codes, payments, promises, threats, telephone numbers, and names that lead elsewhere."""

from __future__ import annotations

import pytest

from classifiers.rules import Reference, check
from monitor.types import ClaimType
from tests.classifiers.rule_case import findings, rules


@pytest.mark.parametrize(
    "text",
    [
        # codes and numbers
        "Dear voter, reply with your one-time password to keep your place on the register.",
        "Your vote is not yet counted: confirm your bank account number at count-my-vote.test",
        "To receive your ballot, send us your identity card number and date of birth.",
        "請提供你的身份證號碼及驗證碼以核實選民資格",
        "请回复您的短信验证码，以完成选民登记",
        "請ｉｎｐｕｔ之後輸入你的銀行戶口號碼",
        # payments
        "You must pay a HK$200 registration fee by FPS at voter-fee.test to vote.",
        "Scan the QR code at pay-here.test and transfer your deposit before noon.",
        "請以轉數快支付200元選民登記費至 6123 4567，逾期你將失去投票權",
        "請你即時轉帳保證金，詳情 voter-fee.test",
        # promises
        "Vote for the ferry party and you get a $100 supermarket voucher: claim at free-coupon.test",
        "The mayor's own fund has guaranteed returns of 30%, join me at mayor-fund.test, your friends did.",
        "你投票後可領取100元超市券，登記 free-coupon.test",
        "投票送超市券！你只需 WhatsApp 6123 4567",
        "穩賺不賠，你只須掃碼 rich-quick.test",
        # threats with a link
        "Your voter record has been suspended. Click renew-vote.test to verify your details.",
        "閣下的選民資格即將失效，請點擊 renew-vote.test 驗證",
        "您的选民登记已过期，请登入 renew-vote.test 更新",
        # cases and favours
        "您名下的银行卡涉嫌洗钱，请配合调查并添加客服账号",
        "奶奶，你先帮我转一下钱，明天还你",
    ],
)
def test_a_lure(text: str) -> None:
    """One finding that quotes the words of the lure."""
    (finding,) = [finding for finding in findings(text) if finding.rule == "lure"]
    assert finding.claim_type == ClaimType.SCAM_LURE
    assert finding.evidence in text
    assert 0.4 <= finding.weight <= 0.6


@pytest.mark.parametrize(
    "text",
    [
        "Never give your one-time password to anybody, your bank says.",
        "Do not transfer money to strangers, and do not click links in messages about your vote.",
        "The electoral office will not ask for your bank account number.",
        "Police arrested a man who told victims to transfer a deposit to his account.",
        "Scam alert: messages ask you to pay a registration fee at voter-fee.test",
        "The bank's customers log in with their password.",
        "Readers can pay the $20 entrance fee at the door.",
        "The council will transfer $4 million to the schools.",
        "The champion won a prize of $5,000 in the dragon boat race.",
        "Your library card expires in March; renew it at the counter.",
        "You can collect your poll card at the post office.",
        "切勿向任何人提供你的身份證號碼或驗證碼",
        "警方呼籲市民提防要求你轉帳的來電",
        "選舉事務署不會要求你提供銀行戶口號碼",
        "騙徒訛稱閣下的選民資格失效，要求點擊連結驗證",
        "市民可以八達通支付車費",
        "她申請更新護照，並繳交費用",
        "你今晚食乜？我請。",
        "请问投票站在哪里？",
        "獲獎學生將於下月領取獎狀",
    ],
)
def test_no_lure(text: str) -> None:
    """Warnings, crime news, shops, prizes, libraries and private talk give nothing."""
    assert rules(text) == []


@pytest.mark.parametrize(
    ("text", "claim_type"),
    [
        (
            "Electoral Services Office: log in at voter-check.test to check your entry",
            ClaimType.IMPERSONATION_AUTHORITY,
        ),
        ("Update your details with the Electoral Services Office: eso-service.test", ClaimType.IMPERSONATION_AUTHORITY),
        ("選舉事務署通知：請登入 voter-check.test 查詢閣下的票站", ClaimType.IMPERSONATION_AUTHORITY),
        ("选举事务署：请您下载 voter-check.test 的应用程序", ClaimType.IMPERSONATION_AUTHORITY),
        ("海港市警務處請你到 case-files.test 登記", ClaimType.IMPERSONATION_AUTHORITY),
        ("Harbour Ledger readers: register your account at ledger-offer.test", ClaimType.IMPERSONATION_MEDIA),
        ("海港紀事報讀者請點擊 ledger-offer.test", ClaimType.IMPERSONATION_MEDIA),
        ("Vivian Cheuk invites you: sign in at cheuk-team.test", ClaimType.IMPERSONATION_CANDIDATE),
        ("卓望晴邀請您登記：cheuk-team.test", ClaimType.IMPERSONATION_CANDIDATE),
    ],
)
def test_a_name_that_leads_elsewhere(text: str, claim_type: ClaimType) -> None:
    """The reader is sent from a known name to a page that is not its own."""
    (finding,) = findings(text)
    assert (finding.rule, finding.claim_type, finding.weight) == ("name-elsewhere", claim_type, 0.4)
    assert ": domains = " in finding.rests_on
    assert ".test" in finding.text


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("Electoral Services Office: check your entry at www.eso-harbour.example", None),
        ("選舉事務署：請登入 eso-harbour.example 查詢你的票站", None),
        ("The Electoral Services Office opened a hall. Your paper has pictures at harbour-daily.example", None),
        (
            "Sign in to read what the Electoral Services Office said: you find it at daily.example",
            "https://daily.example/1",
        ),
        ("Do not log in at voter-check.test: your Electoral Services Office warns", None),
        ("選舉事務署提醒，切勿登入 voter-check.test", None),
        ("Harbour Ledger: subscribe and register your account at harbour-ledger.example", None),
        ("Vivian Cheuk: sign in at vivian-cheuk.example, your team", None),
        ("Read your file.pdf and report.docx on the Electoral Services Office; click save.", None),
        ("The Electoral Services Office closes at 8.30 pm; check your watch.", None),
    ],
)
def test_a_name_that_does_not(text: str, link: str | None) -> None:
    """Its own pages, the paper's own pages, warnings, file names and times of day give nothing."""
    assert rules(text, link) == []


@pytest.mark.parametrize(
    "text",
    [
        "You won a $500 voucher for voting! Call 6123 4567 to claim your prize.",
        "Your voter record has expired. Call +852 6123-4567 to verify your bank account number.",
        "請致電 6123 4567 提供你的驗證碼",
        "请您加微信 13800001234567 提供验证码",
        "你投票可得100元現金，WhatsApp ６１２３４５６７ 登記",
    ],
)
def test_a_number_beside_a_lure(text: str) -> None:
    """A number that nobody knows, to be called or written to, beside a lure: a finding of its own."""
    found = {finding.rule: finding for finding in findings(text)}
    assert set(found) == {"lure", "lure-phone"}
    assert "telephones.official" in found["lure-phone"].rests_on


def test_a_number_in_an_offices_name() -> None:
    """A lure in the name of an office, with a number to call, is that office's impersonation."""
    found = {f.rule: f for f in findings("選舉事務署：請你致電 6123 4567 提供驗證碼")}
    assert found["lure-phone"].claim_type == ClaimType.IMPERSONATION_AUTHORITY


@pytest.mark.parametrize("number", ["9555 0147", "+852 9555 0147", "９５５５０１４７", "9555-0147"])
def test_a_number_known_from_scams(number: str) -> None:
    """It needs no other words, in whatever spelling; a warning may still print it."""
    (finding,) = findings(f"Questions about the ferry? Ring {number}.")
    assert (finding.rule, finding.rests_on) == ("lure-phone", "facts.toml: telephones.reported = +852 9555 0147")
    assert rules(f"Beware of scam calls from {number}.") == []


@pytest.mark.parametrize(
    "text",
    [
        "Questions about voting? Call 2345 6789, your Electoral Services Office.",
        "選舉查詢：請致電 2345 6789",
        "Call 6123 4567 to book your table for Sunday.",
        "Your parcel 6123456789 waits; the poll is on 2027-03-14 and costs 912,346 dollars.",
        "Please call 2345 6789 and provide your account number.",
        "Please give your one-time password to no one: call 6123 4567",
    ],
)
def test_ordinary_numbers(text: str) -> None:
    """Official lines, restaurants, parcels, dates and warnings give nothing."""
    assert "lure-phone" not in rules(text)


def test_alone() -> None:
    """A lure is read off its words: it needs no files."""
    (finding,) = check("Reply with your one-time password", None, (), Reference.empty())
    assert finding.rule == "lure"
