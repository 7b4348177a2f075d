"""Inventories made from the words of a corpus: letters, espeak-ng's phones, a lexicon's."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.errors import InputError, PhoneError, PronunciationError
from nativeear.speech.g2p import G2P, espeak, load
from nativeear.speech.g2p import inventory as inventory_of
from nativeear.speech.g2p.graphemes import Graphemes, letters
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phones import KINDS, feature_names
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.syllables import syllabify
from nativeear.speech.tables import table


def said(pronouncer: Pronouncer, text: str) -> str:
    words = pronouncer.pronounce(text).words
    return " | ".join(" ".join(word.variants[0].phones) for word in words)


# --- letters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "language", "found"),
    [
        ("Hej", "sv", "h e j"),
        ("Straße", "de", "s t r a s s e"),
        ("d'Aosta-x", "it", "d a o s t a x"),
        ("o\u0323\u0300na", "yo", "ọ̀ n a"),
        ("E\u0301", "fr", "é"),
        ("ОДИН", "ru", "о д и н"),
        ("λόγος", "el", "λ ό γ ο σ"),
        ("IŞIK", "tr", "ı ş ı k"),
        ("İstanbul", "tr", "i s t a n b u l"),
        ("IŞIK", "und", "i ş i k"),
        ("नमस्ते", "hi", "न म स् ते"),
        ("ʻOkina", "haw", "ʻ o k i n a"),
        ("r2d2", "en", ""),
        ("२१", "hi", ""),
        ("-'", "en", ""),
        ("", "en", ""),
    ],
)
def test_letters_of_a_word(word: str, language: str, found: str) -> None:
    assert " ".join(letters(word, language)) == found


@given(st.text(max_size=12))
def test_any_word_has_letters_that_are_stable(word: str) -> None:
    found = letters(word)
    assert letters("".join(found)) == found
    assert all(found)


def test_an_inventory_of_letters_is_honest() -> None:
    inventory = inventory_of("graphemes", "yo", ["Ẹ", "káàárọ̀", "gba"])
    assert inventory.symbols == ("a", "b", "g", "k", "r", "à", "á", "ẹ", "ọ̀")
    assert inventory.notation == "letters"
    for phone in inventory:
        assert phone.kind == "letter"
        assert phone.kind in KINDS
        assert phone.features == (0,) * len(feature_names())
        assert phone.ipa == f"⟨{phone.symbol}⟩"
        assert not inventory.is_vowel(phone.symbol)
        assert inventory.symbol(phone.symbol) == phone.symbol
    assert inventory.distance("a", "a") == 0.0
    assert inventory.distance("a", "á") == inventory.distance("a", "k") == 1.0
    assert PhoneInventory.from_json(json.loads(json.dumps(inventory.to_json()))) == inventory
    assert syllabify(("k", "á", "à"), inventory) == ((0, 3),)
    with pytest.raises(PhoneError, match="'ɡ'") as caught:
        inventory.symbol("ɡ")  # the sound, which is not the letter g
    assert " g " in caught.value.fix
    with pytest.raises(InputError, match="no letter"):
        inventory_of("graphemes", "yo", ["1", "?"])


def test_a_pronouncer_that_spells() -> None:
    texts = ["Ẹ káàárọ̀ o!", "Ṣé dáadáa ni?"]
    with pytest.raises(InputError, match="no voice for language 'yo'") as caught:
        Pronouncer.for_texts("yo", texts)
    assert "graphemes" in caught.value.fix
    pronouncer = Pronouncer.for_texts("yo", texts, g2p="graphemes")
    assert said(pronouncer, "Ẹ káàárọ̀") == "ẹ | k á à á r ọ̀"
    (word,) = pronouncer.pronounce("DÁADÁA").words
    assert word.variants == (PhoneSequence(tuple("dáadáa"), (None,) * 6, ((0, 6),), "graphemes"),)
    with pytest.raises(PronunciationError, match='"mi"') as unseen:
        pronouncer.pronounce("ni mi")  # the corpus has no m
    assert "graphemes" in unseen.value.cause
    # As a learner's side meets it again: the index gives the inventory and that tells the rest.
    again = PhoneInventory.from_json(pronouncer.inventory.to_json())
    assert said(Pronouncer("yo", inventory=again), "ni o") == "n i | o"
    given = given_phones("n i | o", again)
    assert [phone.phone for phone in given.canonical()] == ["n", "i", "o"]


def test_letters_in_a_language_that_has_phones() -> None:
    pronouncer = Pronouncer.for_texts("en-US", ["Thank you, PBXs!"], g2p="graphemes")
    assert said(pronouncer, "thank PBX") == "t h a n k | p b x"
    assert pronouncer.pronounce("thank you").warnings == ()


def test_letters_need_an_inventory_of_letters() -> None:
    source = load("graphemes", "de", inventory_of("graphemes", "de", ["ja"]))
    assert isinstance(source, G2P)
    assert isinstance(source, Graphemes)
    with pytest.raises(InputError, match="has sounds") as caught:
        load("graphemes", "en-US", PhoneInventory.load("en-US"))
    assert "for_texts" in caught.value.fix


# --- espeak-ng without a shipped inventory ------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "phones"),
    [
        ("sv-SE", "köpa fågel", "ɕ øː p a | f oː j ə l"),
        ("uk", "щастя", "ʃ tʃ a s t̪ j a"),
        ("tr", "IŞIK", "ɯ ʃ ɯ k"),
        ("fi", "yö", "yø"),
        ("da", "rød med", "ʁ ʔ œ ð | m ɛ ð"),
        ("cs", "řeka", "r̝ e k a"),
    ],
)
def test_the_phones_that_words_have_make_an_inventory(
    language: str, text: str, phones: str
) -> None:
    with pytest.raises(InputError, match="No phone inventory ships") as caught:
        Pronouncer(language)
    assert "for_texts" in caught.value.fix
    pronouncer = Pronouncer.for_texts(language, [text])
    assert said(pronouncer, text) == phones
    assert set(pronouncer.inventory.symbols) == set(re.split(r" \| | ", phones))
    assert pronouncer.inventory.notation == "ipa"
    again = PhoneInventory.from_json(pronouncer.inventory.to_json())
    assert said(Pronouncer(language, inventory=again), text) == phones


def test_a_sound_that_the_corpus_lacks_is_refused() -> None:
    pronouncer = Pronouncer.for_texts("sv-SE", ["ta då", "bo kö"])
    assert said(pronouncer, "då") == "d oː"
    with pytest.raises(PronunciationError, match='"på", "mus"'):
        pronouncer.pronounce("då på mus")


def test_shipped_inventories_are_kept() -> None:
    for g2p in (None, "espeak"):
        pronouncer = Pronouncer.for_texts("de-DE", ["ja"], g2p=g2p)
        assert pronouncer.inventory == PhoneInventory.load("de-DE")
    assert Pronouncer.for_texts("en-US", []).pronounce("to").words[0].variants[0].source == (
        "cmudict"
    )


@pytest.mark.parametrize(
    ("language", "text", "phones"),
    [
        ("ru", "В дом", "v | d o m"),
        ("ru", "к нему", "k | nʲ i m u"),
        ("fr", "il y a", "i l | i | a"),
        ("pl", "w domu", "v | d ɔ m u"),
        ("cs", "k domu", "k | d o m u"),
    ],
)
def test_words_of_one_letter_are_not_the_letters_name(
    language: str, text: str, phones: str
) -> None:
    pronouncer = Pronouncer.for_texts(language, [text])
    assert said(pronouncer, text) == phones
    (word,) = [w for w in pronouncer.pronounce(text).words if len(w.word) == 1][:1]
    assert len(word.variants) == 2  # in a spelling it is


def test_the_table_of_short_words_fits_the_inventories() -> None:
    for row in table("short_words"):
        language, word, labels = row["language"], row["word"], row["phones"].split()
        assert len(word) == 1
        if PhoneInventory.ships(language):
            inventory = PhoneInventory.load(language)
            assert all(inventory.knows(label, "ipa") for label in labels), (language, word)


def test_tones_are_refused() -> None:
    for language in ("vi", "zh-CN", "yue"):
        with pytest.raises(InputError, match="cannot give the phones") as caught:
            espeak.inventory(language, ["xin"])
        assert "tones" in caught.value.cause
    assert said(Pronouncer.for_texts("vi", ["xin chào"], g2p="graphemes"), "xin") == "x i n"


@pytest.mark.parametrize("language", ["am", "az", "be", "da", "hu", "is", "ko", "ro", "sr", "te"])
def test_every_number_can_be_said(language: str) -> None:
    texts = [str(n) for n in (*range(0, 100, 7), 1000)]
    pronouncer = Pronouncer.for_texts(language, texts)
    assert [text for text in texts if pronouncer.missing(text)] == []


# --- a lexicon for a language that nobody knows -------------------------------------------------


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    path = tmp_path / "tlh.dict"
    path.write_text("Qapla'\tqʰ ɑ p l ɑ ʔ\nqa\tqʰ aɪ\nqa(2)\tqʰ ˈɑː\n", encoding="utf-8")
    return path


def test_a_lexicon_makes_an_inventory(lexicon: Path) -> None:
    pronouncer = Pronouncer("tlh", lexicon=lexicon)
    assert set(pronouncer.inventory.symbols) == {"qʰ", "ɑ", "ɑː", "aɪ", "p", "l", "ʔ"}
    assert pronouncer.inventory.phone("aɪ").kind == "diphthong"
    (first, second) = pronouncer.pronounce("Qapla' qa!").words
    assert first.variants[0].phones == ("qʰ", "ɑ", "p", "l", "ɑ", "ʔ")
    assert [variant.phones for variant in second.variants] == [("qʰ", "aɪ"), ("qʰ", "ɑː")]
    assert second.variants[1].stress == (None, 1)
    with pytest.raises(PronunciationError, match='"tera"') as caught:
        pronouncer.pronounce("qa tera")
    assert caught.value.cause == "Asked: lexicon, for tlh."
    assert Pronouncer.for_texts("tlh", ["qa tera"], lexicon=lexicon).inventory == (
        pronouncer.inventory
    )


def test_a_lexicon_beside_espeak() -> None:
    pronouncer = Pronouncer.for_texts("sv", ["hej gif"], lexicon={"gif": ["ʒ ɪ f"]})
    assert said(pronouncer, "hej gif") == "h ɛ j | ʒ ɪ f"
    assert set(pronouncer.inventory.symbols) == set("hɛjʒɪf")


def test_a_lexicon_of_no_ipa_is_refused() -> None:
    with pytest.raises(PhoneError, match=r'"ba" cannot be used.*QQ') as caught:
        Pronouncer("tlh", lexicon={"ba": ["b QQ"]})
    assert "IPA" in caught.value.fix
