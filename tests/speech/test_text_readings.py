"""What is written in five languages, and the words that a native reads for it."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nativeear.speech.errors import NativeEarError
from nativeear.speech.g2p.cmudict import load
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.text import SpokenText, normalise

ENGLISH = load("en-US", PhoneInventory.load("en-US"))
LANGUAGES = ("en-US", "en-GB", "es", "es-MX", "fr", "de", "it", "ru", "pt", "nl", "pl", "sv", "xx")
# What numbers, money, units, times and abbreviations are made of, so that all kinds meet.
_PIECES = (
    "0 1 29 999 1.000 1,5 .5 ½ ⅔ 1/2 - − + $ € £ ¢ US$ CHF % ° °C km/h m² / : . , ; ( ) ' \" # & @ "
    "th st er º ª s 's k M Mio. mln Uhr h am p.m. v XIV I Mai May mai z. B. EE. UU. St. № § × x ² "
    "http:// www. .com \u00ad \u200b \u2060 \ufe0f 😀 é e\u0301 Н ß"
)
PIECES = st.sampled_from([*_PIECES.split(), " ", "  ", "\u00a0", "\u2009", "\u202f"])


def read(text: str, language: str) -> SpokenText:
    known = ENGLISH.__contains__ if language.startswith("en") else None
    return normalise(text, language, known)


def said(text: str, language: str) -> str:
    """The words in small letters, those that are spelt as letters."""
    words: list[str] = []
    for word in read(text, language).words:
        words += word.spoken if word.spelt else [word.spoken]
    return " ".join(" ".join(words).lower().replace("-", " ").split())


def rows() -> list[tuple[str, str, str]]:
    path = Path(__file__).with_name("text_readings.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["lang"], row["text"], row["reading"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("language", "text", "reading"), rows())
def test_a_text_is_read_as_a_native_reads_it(language: str, text: str, reading: str) -> None:
    # Invisible characters are written as escapes in the table.
    written = text.encode("raw_unicode_escape").decode("unicode_escape") if "\\u" in text else text
    assert said(written, language) == reading.lower().replace("-", " ")


@pytest.mark.parametrize(
    ("language", "text", "named"),
    [
        ("en", "It costs $2.999.", '"$2.999" was read as "two point nine nine nine dollars".'),
        ("en", "Henry VIII", '"VIII" was read as "the eighth".'),
        ("en", "the IT team", '"IT" was read letter by letter.'),
        ("en", "Неllo", '"Неllo" has letters of another script and was read as "Hello".'),
        ("es", "LLuvia", '"LLuvia" was read as "lluvia".'),
        ("de", "STRASSE", '"STRASSE" was read as "straße".'),
        ("fr", "à 14h30", '"14h30" was read as "quatorze heures trente".'),
        ("it", "5 mln", '"5 mln" was read as "cinque milioni".'),
        ("en", "so 👋🏽", '"👋🏽" is not spoken and was left out.'),
    ],
)
def test_what_may_surprise_is_named_with_how_it_was_read(
    language: str, text: str, named: str
) -> None:
    assert named in read(text, language).warnings


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Well, I can't say; the year-end party is his 'cup of tea'."),
        ("es", "¿Qué tal? El niño, la niña y el perro."),
        ("fr", "L'école est là-bas, aujourd'hui « fermée »."),
        ("de", "Schöne Grüße an alle, bis zum nächsten Mal!"),
        ("it", "L'amico è già qui, perché piove."),
    ],
)
def test_plain_words_are_left_alone(language: str, text: str) -> None:
    assert read(text, language).warnings == ()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text",
    [
        "$" + "1" * 30,
        "1" * 29,
        "1" * 5000,
        "$1" + ",111" * 20 + ".50",
        "1" + ".111" * 20 + " €",
        "0." + "9" * 400,
        "1" * 60 + " km/h",
        "1" * 30 + "th",
        "1" * 30 + "º",
        "1" * 12 + "/" + "1" * 12,
        "9" * 50 + "½",
        "M" * 4000,
        "v" + "1." * 300 + "1",
        "1-" * 900 + "1",
        "+1 " + "2 " * 900,
    ],
)
def test_a_number_of_any_length_is_read(language: str, text: str) -> None:
    words = read(text, language).words
    assert words
    assert all(word.text and word.spoken.strip() for word in words)


@settings(deadline=None)
@given(st.text(), st.sampled_from(LANGUAGES))
def test_any_string_gives_words_or_none(text: str, language: str) -> None:
    assert all(word.text and word.spoken.strip() for word in read(text, language).words)


@settings(deadline=None)
@given(st.lists(PIECES), st.sampled_from(LANGUAGES))
def test_any_mixture_of_kinds_gives_words_or_none(pieces: list[str], language: str) -> None:
    read("".join(pieces), language)


@pytest.fixture(scope="module")
def pronouncers() -> dict[str, Pronouncer]:
    return {language: Pronouncer(language) for language in ("en-US", "fr", "it", "es", "de", "ru")}


@settings(deadline=None, max_examples=50)
@given(text=st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_any_string_is_pronounced_or_plainly_refused(
    text: str, pronouncers: dict[str, Pronouncer]
) -> None:
    for pronouncer in pronouncers.values():
        try:
            assert pronouncer.pronounce(text).canonical()
        except NativeEarError as error:
            assert error.message


@settings(deadline=None)
@given(st.from_regex(r"[-−]?[$€£]?[0-9]+([.,' ]?[0-9]+)*( ?(%|€|km|th|s|º))?", fullmatch=True))
def test_a_number_leaves_no_digit_unread(text: str) -> None:
    for language in ("en-US", "fr", "it", "es", "de", "ru"):
        spoken = " ".join(word.spoken for word in read(text, language).words)
        assert spoken
        assert not any(char.isdigit() for char in spoken)
