import csv
from pathlib import Path

import pytest

import nativeear.speech
from nativeear.speech.given_phones import given_phones
from nativeear.speech.homographs import readings
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer

TABLE = Path(nativeear.speech.__file__).parent / "data" / "homographs.csv"

SURE = """
Yesterday I read it. | read | R EH D
I will read it. | read | R IY D
I have already read it. | read | R EH D
Have you read the book? | read | R EH D
Did you read the book? | read | R IY D
She read a book. | read | R EH D
They read a book every day. | read | R IY D
Read the text. | read | R IY D
It was read aloud. | read | R EH D
a lead pipe | lead | L EH D
she will lead us | lead | L IY D
the lead singer | lead | L IY D
Where do you live? | live | L IH V
a live show | live | L AY V
She lives here. | lives | L IH V Z
He saved many lives. | lives | L AY V Z
The wind is strong. | wind | W IH N D
Please wind the clock. | wind | W AY N D
a tear in her eye | tear | T IH R
Don't tear the paper. | tear | T EH R
Close the door. | close | K L OW Z
a close friend | close | K L OW S
Sit close to me. | close | K L OW S
You can use it. | use | Y UW Z
It's no use. | use | Y UW S
I object to that. | object | AH B JH EH K T
The object is red. | object | AA B JH EH K T
at the present time | present | P R EH Z AH N T
He was content with it. | content | K AH N T EH N T
the content of the book | content | K AA N T EH N T
They don't permit smoking. | permit | P ER M IH T
You need a permit. | permit | P ER M IH T
They produce cars. | produce | P R AH D UW S
the produce section | produce | P R OW D UW S
My project is late. | project | P R AA JH EH K T
We project growth. | project | P R AH JH EH K T
Wait a minute. | minute | M IH N AH T
a minute detail | minute | M AY N UW T
The desert is hot. | desert | D EH Z ER T
He would never desert us. | desert | D IH Z ER T
a bow and arrow | bow | B OW
Take a bow. | bow | B AW
Row the boat. | row | R OW
They had a terrible row. | row | R AW
How does John know? | does | D AH Z
a white dove | dove | D AH V
He dove into the pool. | dove | D OW V
an invalid password | invalid | IH N V AE L IH D
He is an invalid. | invalid | IH N V AH L IH D
I refuse to go. | refuse | R AH F Y UW Z
The refuse is collected. | refuse | R EH F Y UW S
the subject of the talk | subject | S AH B JH IH K T
Do not subject him to it. | subject | S AH B JH EH K T
a separate room | separate | S EH P ER IH T
Please separate the eggs. | separate | S EH P ER EY T
I estimate that. | estimate | EH S T AH M EY T
at present we wait | present | P R EH Z AH N T
in record time | record | R EH K ER D
an estimate of the cost | estimate | EH S T AH M AH T
He plays bass guitar. | bass | B EY S
He wound the clock. | wound | W AW N D
The wound was deep. | wound | W UW N D
please record it | record | R AH K AO R D
a new record | record | R EH K ER D
He records it. | records | R AH K AO R D Z
the records | records | R EH K ER D Z
"""
UNSURE = """
I read. | read | R IY D / R EH D
The pipes are made of lead. | lead | L IY D / L EH D
fresh produce | produce | P R OW D UW S / P R AH D UW S
perfect | perfect | P ER F IH K T / P ER F EH K T
Tears fell down. | tears | T IH R Z / T EH R Z
I used to go. | used | Y UW S T / Y UW Z D
Conduct an orchestra. | conduct | K AH N D AH K T / K AA N D AH K T
"""


def cases(text: str) -> list[list[str]]:
    return [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]


@pytest.fixture(scope="module")
def english() -> Pronouncer:
    return Pronouncer()


def said(pronouncer: Pronouncer, text: str, word: str) -> list[str]:
    (found,) = (w for w in pronouncer.pronounce(text).words if w.word.lower() == word)
    return [" ".join(form.phones) for form in found.variants]


def of(word: str, phones: str) -> str:
    """Which reading of a word has these phones: the kinds that the table gives it."""
    rows = [row for row in csv.DictReader(TABLE.open(encoding="utf-8")) if row["word"] == word]
    (kinds,) = {
        row["kinds"]
        for row in rows
        for form in row["phones"].split("; ")
        if "".join(c for c in form if not c.isdigit()) == phones
    } or {""}
    return kinds


@pytest.mark.parametrize(("text", "word", "phones"), cases(SURE), ids=lambda value: value[:30])
def test_a_homograph_is_read_by_its_sentence(english, text, word, phones) -> None:
    forms = said(english, text, word)
    assert phones in forms
    if word != "permit":  # its two readings differ in stress alone
        assert {of(word, form) for form in forms} == {of(word, phones)}


def test_readings_that_differ_in_stress_alone_are_told_apart(english) -> None:
    noun, verb = (
        english.pronounce(text).words[-1].variants[0].stress
        for text in ("a permit", "I will permit")
    )
    assert noun == (None, 1, None, 2, None)
    assert verb == (None, 0, None, 1, None)


@pytest.mark.parametrize(("text", "word", "phones"), cases(UNSURE))
def test_where_the_sentence_does_not_tell_all_forms_are_right(english, text, word, phones) -> None:
    forms = said(english, text, word)
    assert set(phones.split(" / ")) <= set(forms)


def test_a_form_of_the_dictionary_that_is_in_no_reading_is_right_in_any_sentence(english) -> None:
    forms = said(english, "my projects", "projects")
    assert {"P R AA JH EH K T S", "P R AA JH EH K S"} <= {*forms}
    assert "P R AH JH EH K T S" not in forms


def test_other_words_languages_and_lexicons_are_left_alone(english) -> None:
    assert readings("en-US", ["a", "tomato"]) == ((), ())
    assert readings("fr", ["a", "record"]) == ((), ())
    own = Pronouncer(lexicon={"read": ["R EH D Z"]})
    assert said(own, "I will read it", "read") == ["R EH D Z"]


def test_given_phones_may_be_those_that_do_not_suit_the_sentence(english) -> None:
    given = given_phones("AY W IH L R EH D IH T", english.inventory, "I will read it", english)
    assert [word.word for word in given.words] == ["I", "will", "read", "it"]


def test_every_reading_has_phones_of_the_inventory_and_a_rival() -> None:
    inventory = PhoneInventory.load("en-US")
    rows = list(csv.DictReader(TABLE.open(encoding="utf-8")))
    for row in rows:
        assert row["kinds"].split() and {*row["kinds"].split()} <= {
            "noun", "verb", "adjective", "past", "otherwise",
        }  # fmt: skip
        for form in row["phones"].split("; "):
            assert all(inventory.knows(label, "arpabet") for label in form.split())
    words = [row["word"] for row in rows]
    assert all(words.count(word) > 1 for word in words)
    assert words == sorted(words)


@pytest.mark.parametrize(
    ("text", "phones"), [("COVID-19", "K OW V IH D"), ("Covid's", "K OW V IH D Z")]
)
def test_words_younger_than_the_dictionary_are_said_and_not_spelt(english, text, phones) -> None:
    assert " ".join(english.pronounce(text).words[0].variants[0].phones) == phones
