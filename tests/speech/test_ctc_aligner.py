"""The CTC aligner on posteriors that are planted, so that the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from nativeear.speech.aligners import ctc
from nativeear.speech.aligners.catalogue import needs_frames
from nativeear.speech.aligners.ctc import CtcAligner, knows_all
from nativeear.speech.alignment import SILENCE, Aligner, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import PhoneSequence, Pronunciation, WordPronunciation
from nativeear.speech.errors import AlignmentError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import label_map

ENGLISH = PhoneInventory.load("en-US")
LABELS = ("<blank>", *ENGLISH.symbols)
HOP_S, OFFSET_S = 0.02, 0.0125


def said(*words: Sequence[str] | str) -> Pronunciation:
    """Words, each by its pronunciation or by several."""

    def sequence(text: str) -> PhoneSequence:
        phones = tuple(text.split())
        return PhoneSequence(phones, (None,) * len(phones), ((0, len(phones)),), "given")

    variants = [[word] if isinstance(word, str) else word for word in words]
    return Pronunciation(
        "en-US",
        tuple(WordPronunciation(v[0].lower(), tuple(map(sequence, v))) for v in variants),
    )


def heard(spans: Sequence[tuple[str, int]], *, spare: float = 0.1, seed: int = 0) -> Frames:
    """Frames of labels that last so many frames each; `''` is the blank."""
    rng = np.random.default_rng(seed)
    path = [LABELS.index(label) if label else 0 for label, length in spans for _ in range(length)]
    values = rng.dirichlet(np.ones(len(LABELS)), len(path)) * spare
    values[np.arange(len(path)), path] += 1.0 - spare
    log_probs = np.log(values).astype(np.float32)
    return Frames(np.zeros((len(path), 2), np.float32), HOP_S, OFFSET_S, log_probs, LABELS)


def recording(frames: Frames) -> Audio:
    return Audio(np.full(round((len(frames) * HOP_S + 0.005) * 16_000), 0.1, np.float32))


def align(aligner: CtcAligner, pronunciation: Pronunciation, frames: Frames) -> Alignment:
    """Align, and check what every alignment has to keep."""
    audio = recording(frames)
    alignment = aligner.align(audio, pronunciation, frames)
    phones = alignment.phones
    assert phones[0].start_s == 0.0
    assert phones[-1].end_s == audio.duration_s
    assert all(a.end_s == b.start_s for a, b in pairwise(phones))
    assert all(p.duration_s > 0 and 0 <= p.score <= 1 for p in phones)
    assert not any(a.is_silence and b.is_silence for a, b in pairwise(phones))
    assert alignment.words == tuple(word.word for word in pronunciation.words)
    assert alignment.aligner == "ctc"
    return alignment


def boundary(frame: int) -> float:
    """Where a frame begins, in seconds."""
    return OFFSET_S + HOP_S * (frame - 0.5)


def test_it_follows_the_protocol() -> None:
    aligner = CtcAligner(ENGLISH)
    assert isinstance(aligner, Aligner)
    assert needs_frames(aligner)
    assert ctc.load("it-IT").inventory.language == "it-IT"


def test_phones_lie_where_they_were_planted() -> None:
    spans = [("", 6), ("K", 3), ("AE", 4), ("T", 2), ("", 8), ("S", 5), ("", 2), ("AE", 3), ("", 5)]
    alignment = align(CtcAligner(ENGLISH), said("K AE T", "S AE"), heard(spans))
    assert [p.phone for p in alignment.phones] == [
        *(SILENCE, "K", "AE", "T", SILENCE, "S", "AE", SILENCE)
    ]
    # The blank within a word is shared by halves; pauses of 160 ms between words are silence.
    starts = [0.0, *(boundary(frame) for frame in (6, 9, 13, 15, 23, 29, 33))]
    assert [p.start_s for p in alignment.phones] == pytest.approx(starts)
    assert [p.word_index for p in alignment.phones] == [-1, 0, 0, 0, -1, 1, 1, -1]
    assert all(p.score > 0.85 for p in alignment.spoken)


def test_a_blank_that_only_parts_two_words_is_no_pause() -> None:
    spans = [("K", 3), ("AE", 4), ("", 2), ("AE", 3), ("T", 3)]
    alignment = align(CtcAligner(ENGLISH), said("K AE", "AE T"), heard(spans))
    assert [p.phone for p in alignment.phones] == ["K", "AE", "AE", "T"]
    assert alignment.phones[1].end_s == pytest.approx(boundary(8))


def test_every_phone_needs_a_frame() -> None:
    frames = heard([("AE", 1)])
    with pytest.raises(AlignmentError, match="too short for its text"):
        CtcAligner(ENGLISH).align(recording(frames), said("AE AE"), frames)
    alignment = align(CtcAligner(ENGLISH), said("AE AE"), heard([("AE", 2)]))
    assert [p.phone for p in alignment.phones] == ["AE", "AE"]


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_the_variant_that_was_said_is_named(variant: int) -> None:
    variants = ["DH AH", "DH IY", "DH"]
    phones = [(phone, 3) for phone in variants[variant].split()]
    frames = heard([("", 2), *phones, ("", 1), ("K", 3), ("", 2)])
    alignment = align(CtcAligner(ENGLISH), said(variants, ["K", "T"]), frames)
    assert alignment.variants == (variant, 0)
    assert [p.phone for p in alignment.spoken] == [*variants[variant].split(), "K"]


@pytest.mark.parametrize("seed", range(5))
def test_words_that_are_there_stay_even_when_badly_said(seed: int) -> None:
    words = ["K AE T", "S IY", "M AO R"]
    spans = [("", 3), ("K", 3), ("EH", 3), ("T", 3), ("", 2), ("S", 3), ("IY", 3)]
    spans += [("", 2), ("M", 3), ("AO", 3), ("R", 3), ("", 3)]
    alignment = align(CtcAligner(ENGLISH), said(*words), heard(spans, seed=seed))
    assert [p.word_index for p in alignment.spoken] == [0, 0, 0, 1, 1, 2, 2, 2]


def test_a_phone_that_the_head_spells_is_one_phone() -> None:
    """A head without CH says T and SH, with a blank between them or without."""
    labels = tuple(label for label in LABELS if label != "CH")
    italian = PhoneInventory.load("it-IT")
    head = ("<blank>", *(phone.ipa for phone in italian if phone.ipa != "tʃ"))
    spelling = label_map(head, italian).spelling["tʃ"]
    assert len(spelling) == 2
    columns = label_map(head, italian).columns
    names = [columns[column] for column in spelling]
    path = [0, 0, head.index(names[0]), 0, head.index(names[1]), head.index("a"), 0]
    values = np.full((len(path), len(head)), 1e-3 / len(head))
    values[np.arange(len(path)), path] += 1 - 1e-3
    log_probs = np.log(values).astype(np.float32)
    frames = Frames(np.zeros((len(path), 2), np.float32), HOP_S, OFFSET_S, log_probs, head)
    alignment = align(CtcAligner(italian), said("tʃ a"), frames)
    assert [p.phone for p in alignment.spoken] == ["tʃ", "a"]
    assert alignment.spoken[0].end_s == pytest.approx(boundary(5))
    assert not knows_all(labels, ENGLISH)


def test_what_a_head_has_to_know_for_auto() -> None:
    assert knows_all(LABELS, ENGLISH)
    assert not knows_all((), ENGLISH)
    assert not knows_all(("<pad>", "|", *"ETAONIHSRDLUMWCFGYPBVKXJQZ"), ENGLISH)
    assert not knows_all(LABELS, PhoneInventory.from_letters("und", "aks"))


@pytest.mark.parametrize("case", ["none", "headless", "spelling", "letters"])
def test_without_posteriors_of_phones_nothing_is_aligned(case: str) -> None:
    spoken = heard([("K", 5)])
    spelling = ("<pad>", "|", *"ETAONIHSRDLUMWCFGYPBVKXJQZ")
    log_probs = np.full((5, len(spelling)), -np.log(len(spelling)), np.float32)
    frames = {
        "none": None,
        "headless": Frames(spoken.embeddings, HOP_S, OFFSET_S),
        "spelling": Frames(spoken.embeddings, HOP_S, OFFSET_S, log_probs, spelling),
        "letters": spoken,
    }[case]
    inventory = PhoneInventory.from_letters("und", "k") if case == "letters" else ENGLISH
    with pytest.raises(AlignmentError, match="needs an encoder with a phone CTC head") as caught:
        CtcAligner(inventory).align(recording(spoken), said("K"), frames)
    assert "flatstart" in caught.value.fix
