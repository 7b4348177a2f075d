"""A word is told for what was heard where it is sure enough, and none else."""

import pytest

from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.reading.heard import heard_word

TEXT = "The telephone rang."


@pytest.mark.parametrize(
    ("phones", "word"),
    [
        ("T EH L AH F OW N", "telephone"),  # of the text
        ("T EH L AH F OW M", "telephone"),  # of the text, but for one phone
        ("HH AE V", "have"),  # common
        ("N OW", "know"),  # the commonest of those that sound so
        ("S T R IY D", None),  # street, stream, streak: several common ones
        ("M AA P EH", None),  # nothing like it
        ("S AY", None),  # a name, too short to be told by its sound
        ("M EH S AH JH", "message"),  # rarer, but long
    ],
)
def test_a_word_is_told_where_it_is_the_only_one(phones: str, word: str | None) -> None:
    text = Pronouncer("en-US").pronounce(TEXT)
    assert heard_word(phones.split(), PhoneInventory.load("en-US"), text) == word


def test_where_no_dictionary_is_at_hand_the_words_of_the_text_are_told() -> None:
    pronouncer = Pronouncer("it-IT")
    text = pronouncer.pronounce("Grazie per aver chiamato.")
    said = text.words[0].variants[0].phones
    assert heard_word(said, pronouncer.inventory, text) == "Grazie"
    assert heard_word(said[:2], pronouncer.inventory, text) is None
