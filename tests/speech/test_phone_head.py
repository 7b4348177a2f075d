from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import nativeear.speech
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.occupancy import canonical_posteriors
from nativeear.speech.phone_head import (
    BLANK,
    NEAR,
    OTHER,
    are_phones,
    head_refusal,
    label_map,
    pool_log_probs,
)

LANGUAGES = ("en-US", "it", "fr", "es", "ru", "de")


def vocabulary(name: str) -> tuple[str, ...]:
    path = Path(nativeear.speech.__file__).parent / "data" / f"ctc_labels_{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return ("<pad>", "<s>", "</s>", "<unk>", *(row["label"] for row in csv.DictReader(file)))


def frames(probabilities: list[dict[str, float]], labels: tuple[str, ...]) -> Frames:
    """Frames with the given probabilities; the blank takes what is left."""
    values = np.zeros((len(probabilities), len(labels)))
    for row, given in zip(values, probabilities, strict=True):
        for label, probability in given.items():
            row[labels.index(label)] = probability
        row[0] = 1.0 - row.sum()
    with np.errstate(divide="ignore"):
        log_probs = np.log(values).astype(np.float32)
    return Frames(np.zeros((len(values), 2), np.float32), 0.02, 0.01, log_probs, labels)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["espeak", "zipa"])
def test_every_label_goes_somewhere(name: str, language: str) -> None:
    labels, inventory = vocabulary(name), PhoneInventory.load(language)
    head = label_map(labels, inventory)
    other = head.columns.index(OTHER)
    for pieces in head.pieces:
        assert pieces and all(0 <= piece < len(head.columns) for piece in pieces)
    assert all(distance <= NEAR for _, distance in head.approximate.values())
    for symbol in inventory.symbols:  # the blank and OTHER are never canonical
        assert all(0 < column < other for column in head.spelling[symbol])
    assert other not in head.pieces[1] and head.pieces[labels.index("<unk>")] == (other,)


def test_espeak_vocabulary_is_whole() -> None:
    labels = vocabulary("espeak")[4:]
    assert len(labels) == len(set(labels)) == 387
    assert len(vocabulary("zipa")) == 4 + 123


@pytest.mark.parametrize("language", ["en-US", "fr", "es", "ru"])
def test_espeak_head_tells_every_phone(language: str) -> None:
    assert not label_map(vocabulary("espeak"), PhoneInventory.load(language)).absent


def test_what_espeak_labels_say_in_english() -> None:
    head = label_map(vocabulary("espeak"), PhoneInventory.load("en-US"))
    says = {
        label: " ".join(head.columns[piece] for piece in pieces)
        for label, pieces in zip(head.labels, head.pieces, strict=True)
    }
    assert says["iː"] == says["i5"] == "IY"
    assert says["t"] == says["tʰ"] == says["ɾ"] == "T"
    assert says["ɑːɹ"] == "AA R"
    assert says["aɪɚ"] == "AY ER"
    assert says["tS"] == "CH"
    assert says["ts"] == "T S"
    assert says["y"] == OTHER  # what a French speaker may say for UW is not UW
    assert says["ʲ"] == says["1"] == BLANK


def test_what_zipa_spells() -> None:
    inventory = PhoneInventory.load("en-US")
    head = label_map(vocabulary("zipa"), inventory)
    assert not head.absent
    assert [head.columns[i] for i in head.spelling["CH"]] == ["T", "SH"]
    assert [head.columns[i] for i in head.spelling["K"]] == ["K"]
    assert head.pieces[head.labels.index("ː")] == (0,)
    french = label_map(vocabulary("zipa"), PhoneInventory.load("fr"))
    assert "ɑ̃" in french.absent  # its tilde is a label of its own


def test_arpabet_labels_are_taken_as_they_are() -> None:
    inventory = PhoneInventory.load("en-US")
    labels = ("<blank>", *inventory.symbols)
    head = label_map(labels, inventory)
    assert head.columns == labels
    log_probs = np.log(np.random.default_rng(0).dirichlet(np.ones(40), 7)).astype(np.float32)
    np.testing.assert_allclose(head.pool(log_probs), log_probs, rtol=1e-5)
    timit = label_map(("<blank>", *(s.lower() for s in inventory.symbols), "h#"), inventory)
    assert timit.columns == labels


def test_labels_of_one_phone_are_added_and_frames_stay_normalised() -> None:
    inventory = PhoneInventory.load("en-US")
    labels = vocabulary("espeak")
    given = frames([{"iː": 0.3, "i": 0.2, "y": 0.1}, {"<unk>": 0.5, "tʃ": 0.25}], labels)
    log_probs, columns = pool_log_probs(given, inventory)
    pooled = np.exp(log_probs)
    np.testing.assert_allclose(pooled.sum(axis=1), 1.0, atol=1e-6)
    assert pooled[0, columns.index("IY")] == pytest.approx(0.5)
    assert pooled[0, columns.index(OTHER)] == pytest.approx(0.1)
    assert pooled[1, columns.index("CH")] == pytest.approx(0.25)
    assert np.isfinite(log_probs).all()


@pytest.mark.parametrize("run", [1, 2, 3])
def test_a_label_of_two_phones_is_heard_as_both(run: int) -> None:
    inventory = PhoneInventory.load("en-US")
    labels = vocabulary("espeak")
    given = frames([{}, *[{"ɑːɹ": 0.9}] * run, {}, {"t": 0.9}], labels)
    log_probs, columns = pool_log_probs(given, inventory)
    pooled = np.exp(log_probs)
    np.testing.assert_allclose(pooled.sum(axis=1), 1.0, atol=1e-6)
    assert (pooled >= 0).all()
    assert columns[int(pooled[1].argmax())] == "AA"
    assert columns[int(pooled[2].argmax())] == "R"
    assert columns[int(pooled[-1].argmax())] == "T"


def test_random_frames_stay_normalised_in_every_language() -> None:
    labels = vocabulary("espeak")
    values = np.random.default_rng(1).dirichlet(np.full(len(labels), 0.05), 50)
    log_probs = np.log(np.maximum(values, 1e-30)).astype(np.float32)
    for language in LANGUAGES:
        pooled = np.exp(label_map(labels, PhoneInventory.load(language)).pool(log_probs))
        assert (pooled > 0).all()
        np.testing.assert_allclose(pooled.sum(axis=1), 1.0, atol=1e-5)


def test_letters_are_refused_with_a_reason() -> None:
    letters = ("<pad>", "|", *"ETAONIHSRDLUMWCFGYPBVKXJQZ")
    given = frames([{}, {"E": 0.5}], letters)
    assert "letters or word pieces (| E T A O N …)" in head_refusal(
        given, PhoneInventory.load("en-US")
    )
    with pytest.raises(EncoderError) as caught:
        pool_log_probs(given, PhoneInventory.load("en-US"))
    assert "letters" in caught.value.cause
    with pytest.raises(EncoderError):
        label_map(letters, PhoneInventory.load("en-US"))
    headless = Frames(np.zeros((3, 2), np.float32), 0.02, 0.01)
    assert (
        head_refusal(headless, PhoneInventory.load("en-US")) == "The encoder has no phone CTC head."
    )


def test_phone_heads_are_told_from_spelling() -> None:
    assert are_phones(vocabulary("espeak")) and are_phones(vocabulary("zipa"))
    assert not are_phones(["<pad>", "▁the", "▁a", "s", "ing"])
    assert not are_phones(["<pad>"])


@pytest.mark.parametrize(
    "labels", [vocabulary("espeak"), ("<blank>", *PhoneInventory.load("en-US").symbols)]
)
def test_letters_are_no_phones(labels: tuple[str, ...]) -> None:
    """An `x` is a letter here, and neither the sound [x] nor ARPAbet."""
    inventory = PhoneInventory.from_letters("und", "abkmx")
    given = frames([{}], labels)
    assert "has letters" in head_refusal(given, inventory)
    with pytest.raises(EncoderError, match="no phone posteriors"):
        label_map(labels, inventory)
    with pytest.raises(EncoderError, match="no phone posteriors"):
        pool_log_probs(given, inventory)


@pytest.mark.parametrize("language", ["it-IT", "fr-FR", "ru-RU"])
def test_an_english_head_hears_no_other_language(language: str) -> None:
    inventory = PhoneInventory.load(language)
    labels = ("<blank>", *PhoneInventory.load("en-US").symbols)
    heard = frames([{labels[1]: 0.9}] * 4, labels)
    assert "hears English phones" in head_refusal(heard, inventory)
    assert canonical_posteriors(heard, inventory, inventory.symbols[:2]) is None
