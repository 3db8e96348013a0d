"""Whether a text holds data that looks like a real person's: addresses, account and card numbers that check out.

Made-up people are full of made-up addresses; those under the domains that are reserved for examples (RFC 2606) and
telephone numbers set aside for fiction stay. So do addresses of nobody: mailboxes of a role (RFC 2142), placeholders,
accounts in addresses of servers; and numbers in a text on how such numbers are checked.
"""

import re

from glan.config import Curation
from glan.curation.examples import Example

_EMAIL = re.compile(
    r"(?<![\w.+-])([\w.+-]{1,64})@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24})\b", re.IGNORECASE
)
_RESERVED = re.compile(
    r"(?:^|\.)(?:example\.(?:com|net|org|edu)|(?:email|domain|company|yourcompany|yourdomain|mycompany|acme|university|school)\.(?:com|org|net|edu)"
    r"|example|test|invalid|localhost|local|internal)$",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"info|marketing|sales|support|abuse|noc|security|postmaster|hostmaster|usenet|news|webmaster|www|uucp|ftp"  # RFC 2142
    r"|admin|administrator|root|git|contact|hello|help|office|no-?reply|user(?:name)?\d*|name|your[._]?(?:e?mail|name)|you|someone"
    r"|test\d*|foo|bar|(?:john|jane)[._]?(?:doe|smith)",
    re.IGNORECASE,
)
_AT_SERVER = re.compile(
    r"\w://[^\s/@]+@|\b(?:ssh|scp|sftp|rsync)\b[^\n@]{0,200}@"
)  # an account, and perhaps its password
_ON_CHECKS = re.compile(
    r"\b(?:luhn|ibans?|checksums?|check[- ]?digits?|mod(?:ulo)? ?(?:97|10)|ISO[ /](?:IEC )?(?:7812|13616|7064))\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d(?:[ -]?\d){8}")  # digits enough for a card or a social security number
_CARD = re.compile(r"\d(?<![\d.,-]\d)(?:[ -]?\d){12,18}(?![\d.,-]*\d)")
_KNOWN_CARDS = {"4111111111111111", "4242424242424242", "5555555555554444", "378282246310005", "6011111111111117"}
_IBAN = re.compile(r"[A-Z](?<!\w[A-Z])[A-Z]\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_SOCIAL_SECURITY = re.compile(
    r"\d(?<![\d-]\d)\d\d(?<!000|666|9\d\d)-(?!(?<=123-)45-6789)(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"
)
_TELEPHONE = re.compile(
    r"(?:\+(?<![\w+]\+)(?!1[ .-]?\(?\d{3}\)?[ .-]?555)\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?(?:\d{2,4}[ .-]?){2,4}\d{2,4}"
    r"|\(?(?<![\w.-]\()(?<![\w.-])[2-9]\d{2}(?<!555)\)?[ .-](?!555)[2-9]\d{2}[.-]\d{4})(?![\w-])"  # North America's
)
_CONTACT = re.compile(r"\b(?:call|phone|tel(?:ephone)?|mobile|whatsapp|fax|contact|reach)\b", re.IGNORECASE)


def personal_data(example: Example, settings: Curation) -> str | None:
    """An e-mail address, a card, account or social security number, or a telephone number to call; the evidence names the kind alone."""
    on_checks = _ON_CHECKS.search(example.question) is not None
    for part, text in (("question", example.question), ("answer", example.answer)):
        if kind := _person(text) or (None if on_checks else _account(text)):
            return f"the {part} holds what looks like {kind}"
    return None


def _person(text: str) -> str | None:
    if "@" in text and any(map(_is_personal, _EMAIL.finditer(_AT_SERVER.sub(" ", text)))):
        return "an e-mail address"
    if _NUMBER.search(text) and _SOCIAL_SECURITY.search(text):
        return "a social security number"
    if _TELEPHONE.search(text) and _CONTACT.search(text):
        return "a telephone number"
    return None


def _account(text: str) -> str | None:
    if _NUMBER.search(text) and any(_is_card(found) for found in _CARD.findall(text)):
        return "a card number"
    if any(_is_iban(found) for found in _IBAN.findall(text)):
        return "a bank account"
    return None


def _is_personal(address: re.Match[str]) -> bool:
    return not (_RESERVED.search(address[2]) or _NOBODY.fullmatch(address[1]))


def _is_card(found: str) -> bool:
    """The check digit of ISO/IEC 7812, and a first digit that cards have."""
    digits = re.sub(r"\D", "", found)
    if digits in _KNOWN_CARDS or digits[0] not in "3456" or len(set(digits)) < 4:
        return False
    doubled = [
        sum(divmod(2 * int(digit), 10)) if place % 2 else int(digit) for place, digit in enumerate(reversed(digits))
    ]
    return sum(doubled) % 10 == 0


def _is_iban(found: str) -> bool:
    """The check digits of ISO 13616."""
    plain = found.replace(" ", "")
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1
