"""Inventories of es, fr, it and ru against the ones published in the Journal of the IPA."""

import csv
from pathlib import Path

import pytest

from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.readers.asterisk import VOICES
from nativeear.speech.errors import CorpusError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.pronunciation import Pronouncer

DATA = Path(__file__).parents[2] / "speech" / "data"

NEVER_SAID = {
    "es": {"θ", "ɲ"},  # Mexico has no θ, and no prompt a ñ
    "fr": set[str](),
    "it": {"tsː", "ʃː", "ʎː"},  # espeak-ng leaves these single between vowels
    "ru": {"dʑ", "xʲ"},  # no prompt has them
}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("tag", ["es", "es-MX", "fr", "it", "ru"])
def test_an_inventory_is_the_published_one_but_for_what_is_named(tag: str) -> None:
    ours = {row["symbol"] for row in rows(f"phones_{primary_subtag(tag)}")}
    published = [row for row in rows("first_languages") if row["Tag"] == tag]
    told = {
        row["Phoneme"]: row["Ours"] for row in rows("inventory_differences") if row["Tag"] == tag
    }
    sounds = {row["Phoneme"] for row in published}
    # Allophones and sounds of loanwords may stand for their phonemes or for themselves.
    phonemes = {
        row["Phoneme"] for row in published if "TRUE" not in (row["Allophonic"], row["Marginal"])
    }
    # Length of consonants is distinctive in Italian, and published as two of the same.
    more = {phone for phone in ours - sounds if not (tag == "it" and phone.rstrip("ː") in sounds)}
    assert more == {phone for phone, where in told.items() if where == "TRUE"}
    assert phonemes - ours == {phone for phone, where in told.items() if where == "FALSE"}


@pytest.mark.parametrize("short", ["es", "fr", "it", "ru"])
def test_every_word_of_the_prompts_is_said_in_the_inventory(short: str) -> None:
    try:
        prompts = read_corpus(f"asterisk:{short}").utterances
    except CorpusError as error:  # recordings, or their transcripts, which another package removes
        pytest.skip(error.fix)
    language = VOICES[short].language
    pronouncer = Pronouncer(language)
    inventory = PhoneInventory.load(language)
    heard: set[str] = set()
    for utterance in prompts:
        for word in pronouncer.pronounce(utterance.text or "").words:
            heard.update(phone for variant in word.variants for phone in variant.phones)
    assert heard <= set(inventory.symbols)
    # A fold too many would show here: sounds that no word ever has.
    assert set(inventory.symbols) - heard <= NEVER_SAID[short]
