import os
import pickle
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from nativeear.speech import registry
from nativeear.speech.aligners import pocketsphinx_decoder
from nativeear.speech.aligners.catalogue import choose_aligner, load_aligner
from nativeear.speech.aligners.pocketsphinx import PHONES, PocketsphinxAligner, load
from nativeear.speech.alignment import SILENCE, Aligner, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import PhoneSequence, Pronunciation, WordPronunciation
from nativeear.speech.errors import AlignmentError, InputError
from nativeear.speech.inventory import PhoneInventory

PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
needs_prompts = pytest.mark.skipif(
    not PROMPTS.is_dir(), reason="asterisk-core-sounds-en-g722 is not installed"
)

PLEASE_HOLD = [  # "Please hold while I try that extension."
    ("please", ["P L IY1 Z"]),
    ("hold", ["HH OW1 L D"]),
    ("while", ["W AY1 L", "HH W AY1 L"]),
    ("I", ["AY1"]),
    ("try", ["T R AY1"]),
    ("that", ["DH AE1 T", "DH AH0 T"]),
    ("extension", ["IH0 K S T EH1 N SH AH0 N"]),
]


def said(words: Sequence[tuple[str, Sequence[str]]], language: str = "en-US") -> Pronunciation:
    def sequence(text: str) -> PhoneSequence:
        labels = text.split()
        stress = tuple(int(p[-1]) if p[-1].isdigit() else None for p in labels)
        phones = tuple(p.rstrip("012") for p in labels)
        return PhoneSequence(phones, stress, ((0, len(phones)),), "given")

    return Pronunciation(
        language,
        tuple(WordPronunciation(word, tuple(map(sequence, variants))) for word, variants in words),
    )


@pytest.fixture(scope="module")
def aligner() -> PocketsphinxAligner:
    return load()


@pytest.fixture(scope="module")
def prompt() -> Audio:
    if not PROMPTS.is_dir():
        pytest.skip("asterisk-core-sounds-en-g722 is not installed")
    return Audio.load(PROMPTS / "transfer.g722")


def noise(seconds: float, level: float = 0.03) -> Audio:
    rng = np.random.default_rng(0)
    return Audio((rng.standard_normal(round(seconds * 16000)) * level).astype(np.float32))


def check_whole(alignment: Alignment, pronunciation: Pronunciation, duration_s: float) -> None:
    phones = alignment.phones
    assert phones[0].start_s == 0.0
    assert phones[-1].end_s == pytest.approx(duration_s, abs=1e-9)
    assert all(a.end_s == b.start_s for a, b in pairwise(phones))
    assert all(phone.duration_s > 0 and 0 <= phone.score <= 1 for phone in phones)
    assert not any(a.is_silence and b.is_silence for a, b in pairwise(phones))
    assert [(p.phone, p.stress, p.word_index) for p in alignment.spoken] == [
        (c.phone, c.stress, c.word_index) for c in pronunciation.canonical(alignment.variants)
    ]


def test_it_follows_the_protocol_and_knows_the_inventory(aligner: PocketsphinxAligner) -> None:
    assert isinstance(aligner, Aligner)
    assert aligner.name == "pocketsphinx"
    assert set(PhoneInventory.load("en-US").symbols) == PHONES


def test_a_real_prompt(aligner: PocketsphinxAligner, prompt: Audio) -> None:
    pronunciation = said(PLEASE_HOLD)
    alignment = aligner.align(prompt, pronunciation)
    check_whole(alignment, pronunciation, prompt.duration_s)
    assert alignment.words == tuple(word for word, _ in PLEASE_HOLD)
    assert alignment.aligner == "pocketsphinx"
    assert np.median([phone.score for phone in alignment.spoken]) > 0.9


def test_the_variant_that_was_said_is_taken(aligner: PocketsphinxAligner, prompt: Audio) -> None:
    right, wrong = "P L IY1 Z", "S AA1 F T"
    for variants in ([right, wrong], [wrong, right]):
        words = said([("please", variants), *PLEASE_HOLD[1:]])
        alignment = aligner.align(prompt, words)
        assert alignment.variants[0] == variants.index(right)
        check_whole(alignment, words, prompt.duration_s)


def test_variants_that_differ_in_stress_alone_count_as_the_first(
    aligner: PocketsphinxAligner, prompt: Audio
) -> None:
    words = said([("please", ["S AA1 F T", "P L IY0 Z", "P L IY1 Z"]), *PLEASE_HOLD[1:]])
    alignment = aligner.align(prompt, words)
    assert alignment.variants[0] == 1
    check_whole(alignment, words, prompt.duration_s)


def test_a_wrong_text_is_laid_with_little_confidence(
    aligner: PocketsphinxAligner, prompt: Audio
) -> None:
    right = aligner.align(prompt, said(PLEASE_HOLD))
    wrong = aligner.align(prompt, said(PLEASE_HOLD[::-1]))
    noisy = aligner.align(noise(2.0), said(PLEASE_HOLD))
    medians = [np.median([p.score for p in a.spoken]) for a in (right, wrong, noisy)]
    assert medians[0] > medians[1] + 0.1
    assert medians[2] < 0.3


def test_silence_around_the_speech_is_explicit(aligner: PocketsphinxAligner, prompt: Audio) -> None:
    quiet = noise(0.6, level=1e-4).samples
    padded = Audio(np.concatenate([quiet, prompt.samples, quiet]))
    alignment = aligner.align(padded, said(PLEASE_HOLD))
    first, last = alignment.phones[0], alignment.phones[-1]
    assert first.phone == last.phone == SILENCE
    assert first.end_s == pytest.approx(0.6, abs=0.1)
    assert last.start_s == pytest.approx(padded.duration_s - 0.6, abs=0.25)


def test_what_was_heard_before_changes_nothing(prompt: Audio) -> None:
    fresh = load().align(prompt, said(PLEASE_HOLD))
    used = load()
    used.align(noise(3.0), said(PLEASE_HOLD))
    assert used.align(prompt, said(PLEASE_HOLD)) == fresh
    assert pickle.loads(pickle.dumps(used)).align(prompt, said(PLEASE_HOLD)) == fresh  # noqa: S301


def test_a_dictionary_that_has_grown_large_starts_afresh(
    prompt: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    aligner = load()
    first = aligner.align(prompt, said(PLEASE_HOLD))
    monkeypatch.setattr(pocketsphinx_decoder, "_MAX_ENTRIES", 3)
    assert aligner.align(prompt, said(PLEASE_HOLD)) == first


def test_threads_do_not_disturb_each_other(aligner: PocketsphinxAligner, prompt: Audio) -> None:
    alone = aligner.align(prompt, said(PLEASE_HOLD))
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: aligner.align(prompt, said(PLEASE_HOLD)), range(6)))
    assert all(result == alone for result in results)


def test_long_recordings_are_cut_in_pauses(
    aligner: PocketsphinxAligner, prompt: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = noise(0.4, level=1e-4).samples
    piece = np.concatenate([prompt.samples, quiet])
    many = Audio(np.concatenate([quiet, np.tile(piece, 6), noise(9.0, level=1e-4).samples]))
    pronunciation = said(PLEASE_HOLD * 6)
    monkeypatch.setattr(pocketsphinx_decoder, "LONG_S", 5.0)
    alignment = aligner.align(many, pronunciation)
    check_whole(alignment, pronunciation, many.duration_s)
    starts = np.array([phone.start_s for phone in alignment.spoken]).reshape(6, -1)
    expected = starts[0] + np.arange(6)[:, None] * len(piece) / 16000
    assert np.median(abs(starts - expected)) < 0.02
    assert np.max(abs(starts - expected)) < 0.2
    monkeypatch.setattr(pocketsphinx_decoder, "LONG_S", 60.0)
    whole = [phone.start_s for phone in aligner.align(many, pronunciation).spoken]
    assert np.median(abs(starts.ravel() - whole)) < 0.02


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.1, 0.5])
def test_too_little_sound_for_the_phones(aligner: PocketsphinxAligner, seconds: float) -> None:
    with pytest.raises(AlignmentError, match="too short for its text 'please hold") as caught:
        aligner.align(noise(seconds), said(PLEASE_HOLD))
    assert "the text has 27" in caught.value.cause
    assert caught.value.fix


def test_a_path_that_is_not_found_names_the_text(
    aligner: PocketsphinxAligner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pocketsphinx_decoder, "BEAMS", (1e-1,))
    with pytest.raises(AlignmentError, match="'please hold while") as caught:
        aligner.align(noise(2.0), said(PLEASE_HOLD))
    assert "No path" in caught.value.cause


def test_what_it_cannot_serve_is_refused(aligner: PocketsphinxAligner) -> None:
    with pytest.raises(InputError, match="cannot align 'it-IT'") as caught:
        aligner.align(noise(1.0), said([("sì", ["S IY1"])], language="it-IT"))
    assert "TextGrids" in caught.value.fix
    with pytest.raises(InputError, match="cannot align 'de'"):
        load("de")
    with pytest.raises(InputError, match=re.escape("does not know X (in 'loch')")):
        aligner.align(noise(1.0), said([("loch", ["L AA1 X"])]))
    with pytest.raises(InputError, match="'hm' has no phones"):
        aligner.align(noise(1.0), said([("hm", [""])]))
    with pytest.raises(AlignmentError, match="no words"):
        aligner.align(noise(1.0), said([]))
    with pytest.raises(InputError, match="8000 Hz"):
        aligner.align(Audio(noise(1.0).samples, sample_rate=8000), said(PLEASE_HOLD))


def test_it_writes_nothing_to_the_terminal() -> None:
    code = (
        "import numpy as np, tests_aligners as t;"
        "t.load().align(t.noise(2.0), t.said(t.PLEASE_HOLD))"
    )
    program = (
        "import importlib.util as u, sys;"
        f"s = u.spec_from_file_location('tests_aligners', {__file__!r});"
        "m = u.module_from_spec(s); sys.modules['tests_aligners'] = m; s.loader.exec_module(m);"
        + code
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@dataclass(frozen=True)
class Head:
    """As much of an encoder as the choice of an aligner looks at."""

    phone_labels: tuple[str, ...]


@pytest.mark.skipif(not registry.names("aligners"), reason="nativeear is not installed")
def test_the_catalogue() -> None:
    assert load_aligner("pocketsphinx").name == "pocketsphinx"
    assert load_aligner("ctc", "it-IT").name == "ctc"
    with pytest.raises(InputError, match="nonsense"):
        load_aligner("nonsense")
    with pytest.raises(InputError, match="flatstart has learnt no it-IT") as caught:
        load_aligner("flatstart", "it-IT")
    assert "index build" in caught.value.fix


def test_which_aligner_auto_means(tmp_path: Path) -> None:
    english, italian = PhoneInventory.load("en-GB"), PhoneInventory.load("it-IT")
    head = Head(("<pad>", *(phone.ipa for phone in italian)))
    headless = Head(())
    assert choose_aligner("auto", english, headless) == "pocketsphinx"
    assert choose_aligner("auto", italian, headless) == "flatstart"
    assert choose_aligner("auto", italian, head) == "ctc"
    # One phone that the head does not tell is one that could not be aligned.
    partial = Head(tuple(label for label in head.phone_labels if label != "ʎ"))
    assert choose_aligner("auto", italian, partial) == "flatstart"
    # What was learnt with an index serves its language best, and a name is a name.
    assert choose_aligner("auto", english, headless, tmp_path / "model") == "flatstart"
    assert choose_aligner("mfa", italian, headless, tmp_path / "model") == "mfa"
