"""What can be heard of the shipped index's natives."""

import pytest

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.native_speech import LONGEST_WORD_S, NativeSpeech, words_of


@pytest.fixture(scope="module")
def index() -> PhoneIndex:
    return PhoneIndex.open(find_index("en-US"))


@pytest.fixture(scope="module")
def speech(index: PhoneIndex) -> NativeSpeech:
    return NativeSpeech.of(index)


def test_words_are_found_whatever_stands_between_them() -> None:
    assert words_of("Don’t “go”, Anne-Marie!") == ("don't", "go", "anne-marie")
    assert words_of(" – ") == ()


def test_a_native_reading_is_found_by_its_words(speech: NativeSpeech) -> None:
    sentence, words = speech.said("The conference, is now LOCKED.")
    assert sentence is not None
    assert sentence.word == "the conference is now locked"
    assert {word.word for word in words} == {"the", "conference", "is", "now", "locked"}
    nothing, some = speech.said("Your xyzzy")
    assert nothing is None
    assert [word.word for word in some] == ["your"]


def test_a_word_lies_where_its_sounds_do(index: PhoneIndex, speech: NativeSpeech) -> None:
    spoken = speech.words["conference"]
    assert 0 < spoken.end_s - spoken.start_s <= LONGEST_WORD_S
    rows = index.table.select(["utterance", "word", "start_s", "end_s"]).to_pylist()
    mine = [r for r in rows if r["utterance"] == spoken.utterance and r["word"] == "conference"]
    assert spoken.start_s == min(row["start_s"] for row in mine)
    assert spoken.end_s == max(row["end_s"] for row in mine)


def test_learners_however_flawless_are_no_natives(index: PhoneIndex, speech: NativeSpeech) -> None:
    corpora = {example.within.corpus for found in speech.examples.values() for example in found}
    assert corpora == {"asterisk-en"}
    assert len(set(index.table.column("corpus").to_pylist())) == 2


def test_examples_are_of_the_phone_each_word_once_and_the_wanted_first(
    index: PhoneIndex, speech: NativeSpeech
) -> None:
    found = list(speech.examples_of("TH"))
    assert len({example.within.word for example in found}) == len(found) > 3
    for example in found:
        assert index.exemplar(example.exemplar).phone == "TH"
        assert example.within.start_s <= example.start_s < example.end_s <= example.within.end_s
    last = found[-1].within.word
    assert next(speech.examples_of("TH", [last])).within.word == last
    assert list(speech.examples_of("no")) == []
