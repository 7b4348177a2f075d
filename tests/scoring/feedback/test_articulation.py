import re
from collections.abc import Iterator

import pytest

from nativeear.scoring.feedback import articulation
from nativeear.scoring.feedback.sentences import languages, sentence, texts
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phones import VOWEL_KINDS, Phone, feature_names
from nativeear.speech.tables import table

OTHERS = [language for language in languages() if language != "en"]
PLACE = re.compile(r"\{\w+\}")
SAME = ("where.", "words.", "cues.", "language.")  # texts that may read as in English
LANGUAGES = ("en", "es", "fr", "it", "ru", "de", "nl", "pl", "pt")
ROUNDED = {row["letter"] for row in table("ipa_vowels") if row["rounded"] == "yes"}


def substituted(heard: Phone, meant: Phone) -> str:
    return sentence(articulation.substituted(heard, meant))


def accented(meant: Phone, heard: Phone | None = None) -> str:
    return sentence(articulation.accented(meant, heard))


def deleted(meant: Phone) -> str:
    return sentence(articulation.deleted(meant).model_copy(update={"place": "end"}))


def pairs(language: str) -> Iterator[tuple[Phone, Phone]]:
    phones = PhoneInventory.load(language).phones
    return ((heard, meant) for heard in phones for meant in phones if heard != meant)


def feature(phone: Phone, name: str) -> int:
    return phone.features[feature_names().index(name)]


def check_one_sentence(sentence: str) -> None:
    assert re.fullmatch(r"[A-Z][^.!?;]+: [a-z][^.!?;:]+\.", sentence), sentence
    assert "  " not in sentence
    assert ",," not in sentence


def check_fits(advice: str, meant: Phone) -> None:
    """No instruction may lead away from what is meant."""
    voiced = feature(meant, "voi") > 0
    assert not ("voice hum" in advice and not voiced), (advice, meant)
    assert not ("without any voice" in advice and voiced), (advice, meant)
    long = "ː" in meant.ipa
    assert not ("hold it longer" in advice and not long), (advice, meant)
    assert not ("keep it shorter" in advice and long), (advice, meant)
    if meant.kind in VOWEL_KINDS:
        nasal = any(char in "\u0303ãẽĩõũ" for char in meant.ipa)
        assert not ("also through the nose" in advice and not nasal), (advice, meant)
        assert not ("no air through the nose" in advice and nasal), (advice, meant)
        rounded = meant.ipa[0] in ROUNDED | {"õ", "ũ"}
        assert not ("round the lips" in advice and not rounded), (advice, meant)
        assert not ("unrounded" in advice and rounded), (advice, meant)
        assert not ("gliding" in advice and meant.glide), (advice, meant)
    if meant.kind in {"stop", "fricative", "affricate"}:
        assert "through the nose" not in advice, (advice, meant)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_pair_gets_one_sentence_that_fits_what_is_meant(language: str) -> None:
    for heard, meant in pairs(language):
        sentence = substituted(heard, meant)
        check_one_sentence(sentence)
        assert f"/{heard.ipa}/" in sentence
        assert f"/{meant.ipa}/" in sentence
        assert "listen to" not in sentence, sentence
        check_fits(sentence.partition(": ")[2], meant)
        check_one_sentence(accented(meant, heard))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_is_described_without_anything_heard(language: str) -> None:
    for meant in PhoneInventory.load(language):
        for said in (deleted(meant), accented(meant)):
            check_one_sentence(said)
            assert f"/{meant.ipa}/" in said
            check_fits(said.partition(": ")[2], meant)


@pytest.mark.parametrize(
    ("heard", "meant", "advice"),
    [
        ("S", "TH", "put the tip of the tongue between the teeth and let the air flow"),
        ("P", "B", "keep the mouth in the same position and let the voice hum"),
        ("Z", "S", "keep the mouth in the same position and use breath without any voice"),
        ("IY", "IH", "open the mouth a little more and relax the tongue"),
        ("EH", "AE", "open the mouth a little more"),
        ("EH", "EY", "begin with /e/ and glide on to /ɪ/"),
        ("AH", "AO", "round the lips"),
    ],
)
def test_the_confusions_of_learners_of_english(heard: str, meant: str, advice: str) -> None:
    english = PhoneInventory.load("en")
    sentence = substituted(english.phone(heard), english.phone(meant))
    ipa = english.ipa
    assert sentence == f"You said /{ipa(heard)}/ instead of /{ipa(meant)}/: {advice}."


@pytest.mark.parametrize(
    ("language", "heard", "meant", "advice"),
    [
        ("it", "t", "tː", "hold it longer"),
        ("it", "tː", "t", "keep it shorter"),
        (
            "ru",
            "t",
            "tʲ",
            "raise the middle of the tongue towards the hard palate at the same time",
        ),
        ("fr", "i", "y", "round the lips"),
        ("fr", "ɛ", "ɛ̃", "let the air also through the nose"),
        ("de", "iː", "yː", "round the lips"),
    ],
)
def test_one_difference_is_one_instruction(
    language: str, heard: str, meant: str, advice: str
) -> None:
    inventory = PhoneInventory.load(language)
    sentence = substituted(inventory.phone(heard), inventory.phone(meant))
    assert sentence.partition(": ")[2] == f"{advice}."


def test_the_opposite_confusion_gets_other_advice() -> None:
    english = PhoneInventory.load("en")
    for a, b in (("IY", "IH"), ("S", "Z"), ("UW", "UH"), ("R", "L")):
        there = substituted(english.phone(a), english.phone(b)).partition(": ")[2]
        back = substituted(english.phone(b), english.phone(a)).partition(": ")[2]
        assert there != back


def test_letters_and_rare_sounds_get_a_sentence_too() -> None:
    letters = PhoneInventory.from_letters("xx", "ab")
    rare = PhoneInventory.from_labels("xx", ["ǃ", "kʼ", "tʰ", "t", "ãũ", "a"])
    for inventory in (letters, rare):
        for heard in inventory:
            for meant in inventory:
                if heard != meant:
                    check_one_sentence(substituted(heard, meant))
                    check_one_sentence(deleted(meant))


def test_an_insertion_says_where() -> None:
    advice = articulation.inserted("s").model_copy(update={"place": "after", "words": ("think",)})
    assert sentence(advice) == (
        "An extra /s/ was heard after “think”: go straight on to the next sound."
    )


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_texts_that_english_has(language: str) -> None:
    english, own = texts("en"), texts(language)
    assert own.keys() == english.keys()
    for key, text in own.items():
        assert text.strip() or not english[key].strip(), key
        assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(english[key])), key
        assert text != english[key] or key.startswith(SAME), key


@pytest.mark.parametrize("language", languages())
def test_advice_on_every_english_sound_is_whole_in_every_language(language: str) -> None:
    for heard, meant in pairs("en"):
        for advice in (
            articulation.substituted(heard, meant),
            articulation.accented(meant, heard),
            articulation.deleted(meant).model_copy(update={"place": "beginning"}),
        ):
            said = sentence(advice, language)
            assert f"/{meant.ipa}/" in said
            assert not re.search(r"[{}]|  |[,;，；]{2}", said), said
            assert said[-1] in ".。"


def test_every_text_of_advice_can_be_said() -> None:
    """No text waits for a sound that there is not; every place and manner of the chart is told."""
    said = {
        cue[0]
        for language in LANGUAGES
        for heard, meant in pairs(language)
        for advice in (articulation.substituted(heard, meant), articulation.deleted(meant))
        for cue in advice.cues
    }
    assert len(said) > 50
    assert {f"cue.{key}" for key in said} <= texts("en").keys()
