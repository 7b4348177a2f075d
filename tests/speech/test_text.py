import pytest
from hypothesis import given
from hypothesis import strategies as st

from nativeear.speech.g2p.cmudict import load
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.text import normalise

ENGLISH = load("en-US", PhoneInventory.load("en-US"))


def words(text, language="en-US"):
    known = ENGLISH.__contains__ if language.startswith("en") else None
    return " ".join(word.text for word in normalise(text, language, known).words)


def warnings(text, language="en-US"):
    return normalise(text, language, ENGLISH.__contains__).warnings


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("27 apples", "twenty seven apples"),
        ("in 1984, in 2005", "in nineteen eighty four in two thousand five"),
        ("in 2024", "in twenty twenty four"),
        ("123", "one hundred twenty three"),
        ("1,234.50", "one thousand two hundred thirty four point five zero"),
        ("the 3rd of 21st", "the third of twenty first"),
        ("-5 degrees", "minus five degrees"),
        ("$5.50", "five dollars and fifty cents"),
        ("$1 and $3 million", "one dollar and three million dollars"),
        ("50%", "fifty percent"),
        ("10:30 or 10:05 or 10:00", "ten thirty or ten oh five or ten o'clock"),
        ("10–12 people", "ten to twelve people"),
        ("call 555-1234", "call five five five one two three four"),
        ("0042", "zero zero four two"),
        ("the 1980s, the '90s", "the nineteen eighties the nineties"),
        ("½ cup", "one half cup"),
        ("1.2.3", "one dot two dot three"),
    ],
)  # fmt: skip
def test_numbers_are_spelt_out_and_named(text, spoken):
    assert words(text) == spoken
    assert warnings(text)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Mr. Smith and Dr. Jones", "mister Smith and doctor Jones"),
        ("Maple St. near St. Paul's", "Maple street near saint Paul's"),
        ("e.g. this, etc.", "for example this et cetera"),
        ("No. No. 7", "No number seven"),
        ("5 lbs. or 10 km", "five pounds or ten kilometers"),
    ],
)
def test_abbreviations(text, spoken):
    assert words(text) == spoken


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("The PBX and the IVR", {"PBX", "IVR"}),
        ("It is the US army", {"US"}),
        ("A.M. or p.m.", {"A.M.", "p.m."}),
        ("PBX", {"PBX"}),
        ("IAX", {"IAX"}),
        ("WE CALL IT HENNY", set()),
        ("NASA said so", set()),
        ("R&B", {"R", "B"}),
    ],
)
def test_initialisms_are_spelt(text, spelt):
    spoken = normalise(text, "en-US", ENGLISH.__contains__)
    assert {word.text for word in spoken.words if word.spelt} == spelt


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Waldo’s party", "Waldo's party"),
        ("I'm 'working' 'cause o'clock", "I'm working 'cause o'clock"),
        ("“Don’t,” she said", "Don't she said"),
        ("rock'n'roll", "rock'n'roll"),
        ("Call-Forward e-mail", "Call Forward e-mail"),
        ("well - known — and so on…", "well known and so on"),
        ("café cafe\u0301", "café café"),
        ("soft\u00adhyphen", "softhyphen"),
        ("end.Next", "end Next"),
        ("(Hello!) [world]", "Hello world"),
        ("", ""),
        ("… ?!", ""),
    ],
)
def test_apostrophes_hyphens_and_punctuation(text, spoken):
    assert words(text) == spoken


def test_a_prefix_written_apart_is_looked_up_as_one_word():
    (word,) = normalise("De-activated", "en-US", ENGLISH.__contains__).words
    assert (word.text, word.spoken) == ("De-activated", "Deactivated")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("press * or #", "press star or pound"),
        ("# 1 #1 #cool", "pound one number one hashtag cool"),
        ("salt & pepper", "salt and pepper"),
        ("see www.asterisk.org.", "see www dot asterisk dot org"),
        ("bob@example.com", "bob at example dot com"),
    ],
)
def test_symbols_are_spoken(text, spoken):
    assert words(text) == spoken
    assert warnings(text)


@pytest.mark.parametrize("text", ["I 😀 you", "so <beep> it", "*really* true", "and/or", "a | b"])
def test_what_is_left_out_is_named(text):
    left = [warning for warning in warnings(text) if "left out" in warning]
    assert left
    assert all(warning.split('"')[1] in text for warning in left)


def test_plain_text_passes_without_a_warning():
    assert warnings("Hello, world! It's Waldo’s “party” - isn't it?") == ()


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("it", "3,5 litri e 1.000 g", "tre virgola cinque litri e mille grammi"),
        ("it", "27 €", "ventisette euro"),
        ("fr-FR", "M. Dupont, 3,5 %", "monsieur Dupont trois virgule cinq pour cent"),
        ("de", "z.B. 27 Äpfel", "zum Beispiel siebenundzwanzig Äpfel"),
        ("es", "¿Qué? 27 Sr. López", "Qué veintisiete señor López"),
        ("ru", "27 человек", "двадцать семь человек"),
        ("hi", "नमस्ते दुनिया", "नमस्ते दुनिया"),
        ("xx", "27 hello", "27 hello"),
    ],
)  # fmt: skip
def test_other_languages(language, text, spoken):
    assert words(text, language) == spoken


@given(st.text(max_size=40), st.sampled_from(["en-US", "it", "fr", "ru", "xx"]))
def test_any_text_is_read_without_a_crash(text, language):
    spoken = normalise(text, language, ENGLISH.__contains__)
    assert all(word.text and word.spoken and word.spoken.strip() for word in spoken.words)


@given(st.text(alphabet="0123456789.,:-$%#stndrh' aAm", max_size=14))
def test_any_number_is_read_without_a_crash(text):
    normalise(text, "en-US", ENGLISH.__contains__)


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("fr", "1 234,5", "mille deux cent trente quatre virgule cinq"),
        ("fr", "1\u202f234", "mille deux cent trente quatre"),
        ("fr", "1 234,50 €", "mille deux cent trente quatre euros cinquante centimes"),
        ("ru", "2 000 000", "два миллиона"),
        ("en-US", "1\u00a0234", "one thousand two hundred thirty four"),
        ("en-US", "7 100", "seven one hundred"),
        ("fr", "06 12 345", "zéro six douze trois cent quarante cinq"),
        ("sv-SE", "1.2.3", "ett två tre"),
        ("sv-SE", "3,5", "tre komma fem"),
        ("xx", "1.2.3 & 50%", "1 2 3 50"),
    ],
)
def test_numbers_in_groups_and_in_languages_without_tables(language, text, spoken):
    assert " ".join(word.spoken for word in normalise(text, language).words) == spoken
