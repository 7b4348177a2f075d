"""Learning to align from tones, whose boundaries are known because we put them there."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors.numpy import load_file, save_file

import nativeear
from nativeear.indexer import flatstart
from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.assembly import Progress, no_progress
from nativeear.indexer.build import BuildReport, BuildRequest, build_index
from nativeear.indexer.flatstart import BLIND_ROUNDS, MAX_ROUNDS
from nativeear.indexer.merging import merge
from nativeear.indexer.removing import remove
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import sha256_of
from nativeear.speech.aligners.flatstart import FlatstartAligner, FlatstartModel
from nativeear.speech.aligners.flatstart import load as load_flatstart
from nativeear.speech.alignment import Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.spectral import SpectralEncoder
from nativeear.speech.errors import AlignmentError, IndexFormatError, InputError
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.testing import check_aligner
from tests.conftest import RATE, SOUNDS, recording, textgrid

Spans = list[tuple[float, float, str]]
ENGLISH = PhoneInventory.load("en-US")
PAUSES = ("", "SIL", "spn")
ITALIAN = {"IY": "i", "AA": "a", "M": "m", "S": "s"}
"""The same sounds as an Italian grid, or a child's spelling, has them."""


def phones_of(number: int, length: int = 6) -> list[str]:
    """Random phones of which no two neighbours are alike: nobody could tell where they meet."""
    rng = np.random.default_rng(number)
    phones = [str(rng.choice(SOUNDS))]
    while len(phones) < length:
        phones.append(str(rng.choice([sound for sound in SOUNDS if sound != phones[-1]])))
    return phones


def speak(folder: Path, numbers: Sequence[int]) -> dict[str, Spans]:
    """Record utterances of two speakers; the truth by id."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = {}
    for number in numbers:
        samples, truth[f"u{number:02d}"] = recording(phones_of(number), number)
        soundfile.write(folder / f"u{number:02d}.wav", samples, RATE)
    return truth


def table(
    folder: Path, truth: Mapping[str, Spans], said: Callable[[Spans], tuple[str, str]]
) -> Path:
    """The table of a folder; `said` gives an utterance's text and phones."""
    rows = [
        (name, f"{name}.wav", *said(spans), ("anna", "ben")[int(name[1:]) % 2])
        for name, spans in truth.items()
    ]
    with (folder / "utterances.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "audio", "text", "phones", "speaker"), *rows])
    return folder


def labels(spans: Spans) -> list[str]:
    return [label for _, _, label in spans if label not in PAUSES]


def by_phones(spans: Spans) -> tuple[str, str]:
    return "", " ".join(labels(spans))


def by_text(spans: Spans) -> tuple[str, str]:
    """Two words of three letters, a letter for each sound."""
    letters = "".join(ITALIAN[label] for label in labels(spans))
    return f"{letters[:3]} {letters[3:]}", ""


def build(
    corpus: Path, out: Path, progress: Progress = no_progress, **options: object
) -> BuildReport:
    settings: dict[str, object] = {
        "language": "en-US",
        "aligner": "flatstart",
        "encoder": "spectral",
        "name": "tones",
        **options,
    }
    request = BuildRequest((str(corpus),), out=out, **settings)  # type: ignore[arg-type]
    return build_index(request, progress)


def spoken_in(index: PhoneIndex) -> dict[str, Spans]:
    """The phones of every utterance, in order of time."""
    found: dict[str, Spans] = {}
    columns = ("utterance", "start_s", "end_s", "phone")
    for name, *span in zip(*(index.table.column(c).to_pylist() for c in columns), strict=True):
        if span[2] != "SIL":
            found.setdefault(name, []).append((span[0], span[1], span[2]))
    return {name: sorted(spans) for name, spans in found.items()}


def errors_s(found: Mapping[str, Spans], truth: Mapping[str, Spans]) -> np.ndarray:
    """How far every boundary lies from the truth; the phones must be those that were said."""
    errors = []
    for name, spans in found.items():
        real = [span for span in truth[name] if span[2] not in PAUSES]
        assert labels(spans) == labels(real)
        errors += [abs(a[0] - b[0]) for a, b in zip(spans, real, strict=True)]
        errors += [abs(a[1] - b[1]) for a, b in zip(spans, real, strict=True)]
    return np.array(errors)


def contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): sha256_of(p) for p in folder.rglob("*") if p.is_file()
    }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Spans]]:
    folder = tmp_path_factory.mktemp("flatstart") / "corpus"
    truth = speak(folder, range(40))
    return table(folder, truth, by_phones), truth


@pytest.fixture(scope="module")
def built(
    corpus: tuple[Path, dict[str, Spans]], tmp_path_factory: pytest.TempPathFactory
) -> PhoneIndex:
    out = tmp_path_factory.mktemp("flatstart") / "index"
    build(corpus[0], out)
    return PhoneIndex.open(out)


@pytest.fixture(scope="module")
def model(built: PhoneIndex) -> FlatstartModel:
    assert built.aligner_model is not None
    return FlatstartModel.load(built.aligner_model)


def align(model: FlatstartModel, audio: Audio, phones: str) -> Alignment:
    frames = SpectralEncoder().encode(audio)
    return FlatstartAligner(model).align(audio, given_phones(phones, ENGLISH), frames)


# --- What is learnt -----------------------------------------------------------------------------


def test_boundaries_are_found_from_nothing(
    built: PhoneIndex, corpus: tuple[Path, dict[str, Spans]]
) -> None:
    errors = errors_s(spoken_in(built), corpus[1])
    assert len(errors) == 40 * 6 * 2
    assert np.median(errors) <= 0.02
    assert (errors <= 0.05).mean() >= 0.85


def test_a_recording_that_it_never_heard_is_aligned_as_well(model: FlatstartModel) -> None:
    for number in range(100, 105):
        samples, truth = recording(phones_of(number, 9), number)
        alignment = align(model, Audio(samples), " ".join(labels(truth)))
        assert all(a.end_s == b.start_s for a, b in pairwise(alignment.phones))
        spans = [(p.start_s, p.end_s, p.phone) for p in alignment.spoken]
        assert errors_s({"x": spans}, {"x": truth}).max() <= 0.03
        assert min(p.score for p in alignment.spoken) > 0.5
    wrong = align(model, Audio(samples), " ".join(reversed(labels(truth))))
    assert min(p.score for p in wrong.spoken) < 0.2


def test_two_processes_learn_what_one_learns(
    built: PhoneIndex, corpus: tuple[Path, dict[str, Spans]], tmp_path: Path
) -> None:
    build(corpus[0], tmp_path / "index", workers=2)
    assert contents(tmp_path / "index") == contents(built.path)


def test_phones_that_were_never_heard_are_heard_as_the_nearest(model: FlatstartModel) -> None:
    assert model.phones == ("AA", "IY", "M", "S", "SIL")
    assert set(model.aliases) == set(ENGLISH.symbols) - set(SOUNDS)
    assert (model.aliases["Z"], model.aliases["N"], model.aliases["IH"]) == ("S", "M", "IY")
    samples, truth = recording(["S", "AA", "M"], 7)
    near = align(model, Audio(samples), "Z AA N")
    assert [p.phone for p in near.spoken] == ["Z", "AA", "N"]
    spans = [(p.start_s, p.end_s) for p in near.spoken]
    assert spans == [(p.start_s, p.end_s) for p in align(model, Audio(samples), "S AA M").spoken]
    assert spans[1] == pytest.approx(truth[2][:2], abs=0.03)


@pytest.mark.parametrize(("gain", "rounds"), [(-np.inf, MAX_ROUNDS), (np.inf, BLIND_ROUNDS + 2)])
def test_it_learns_until_it_gains_no_more(
    corpus: tuple[Path, dict[str, Spans]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gain: float,
    rounds: int,
) -> None:
    monkeypatch.setattr(flatstart, "CONVERGED", gain)
    assert rounds_of(corpus[0], tmp_path / "index") == rounds


def test_it_comes_to_rest_by_itself(corpus: tuple[Path, dict[str, Spans]], tmp_path: Path) -> None:
    assert BLIND_ROUNDS < rounds_of(corpus[0], tmp_path / "index") < MAX_ROUNDS


def rounds_of(corpus: Path, out: Path, **options: object) -> int:
    """How often the utterances were aligned until it came to rest."""
    told: list[int] = []

    def listen(stage: str, done: int, total: int) -> None:
        if stage == "Learning to align":
            told.append(done)

    build(corpus, out, listen, **options)
    assert told[0] == 0 and told[-1] == MAX_ROUNDS
    return len(told) - 2


def test_a_resumed_build_learns_from_its_own_speech_alone(
    corpus: tuple[Path, dict[str, Spans]], tmp_path: Path
) -> None:
    """What is held out now must not have taught the aligner of the build that was interrupted."""

    def interrupt(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("Aligning and encoding", 5):
            raise KeyboardInterrupt

    held_out = frozenset(f"u{number:02d}" for number in range(0, 40, 3))
    with pytest.raises(KeyboardInterrupt):
        build(corpus[0], tmp_path / "index", interrupt)
    build(corpus[0], tmp_path / "index", resume=True, exclude=held_out)
    build(corpus[0], tmp_path / "fresh", exclude=held_out)
    assert contents(tmp_path / "index") == contents(tmp_path / "fresh")


# --- The model as a file ------------------------------------------------------------------------


def test_a_model_is_what_was_saved(model: FlatstartModel, tmp_path: Path) -> None:
    changed = replace(model, lead_s=0.015)
    changed.save(tmp_path / "model")
    loaded = load_flatstart(path=tmp_path / "model").model
    for name, value in vars(changed).items():
        if name != "columns":  # made when it is asked for
            np.testing.assert_equal(getattr(loaded, name), value)
    changed.save(tmp_path / "again")
    assert sha256_of(tmp_path / "again") == sha256_of(tmp_path / "model")


def test_a_damaged_model_is_refused(model: FlatstartModel, tmp_path: Path) -> None:
    path = tmp_path / "model"
    model.save(path)
    whole = path.read_bytes()
    arrays = load_file(path)
    for content in (whole[: len(whole) // 2], whole[:7], b"", b"no model" * 50):
        path.write_bytes(content)
        with pytest.raises(IndexFormatError, match="is damaged"):
            FlatstartModel.load(path)
    for metadata in ({}, {"flatstart": "{"}, {"flatstart": json.dumps({"format_version": 1})}):
        save_file(arrays, path, metadata)
        with pytest.raises(IndexFormatError, match="is damaged"):
            FlatstartModel.load(path)
    path.unlink()
    with pytest.raises(IndexFormatError, match="is damaged"):
        FlatstartModel.load(path)


def test_a_model_of_another_version_is_refused(
    model: FlatstartModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nativeear.speech.aligners.flatstart.FORMAT_VERSION", 2)
    model.save(tmp_path / "model")
    monkeypatch.undo()
    with pytest.raises(IndexFormatError, match="has format 2; this release reads 1"):
        FlatstartModel.load(tmp_path / "model")


def test_it_keeps_to_its_protocol(model: FlatstartModel) -> None:
    audio = Audio(recording(["S", "AA", "M", "IY"], 1)[0])
    words = given_phones("S AA | M IY", ENGLISH)
    check_aligner(FlatstartAligner(model), audio, words, SpectralEncoder().encode(audio))


def test_what_it_cannot_align_is_refused(model: FlatstartModel) -> None:
    audio = Audio(recording(["S", "AA"], 1)[0])
    words = given_phones("S AA", ENGLISH)
    frames = SpectralEncoder().encode(audio)
    with pytest.raises(AlignmentError, match="needs the encoder's frames"):
        FlatstartAligner(model).align(audio, words)
    narrow = replace(frames, embeddings=np.ascontiguousarray(frames.embeddings[:, :9]))
    with pytest.raises(AlignmentError, match="knows another encoder"):
        FlatstartAligner(model).align(audio, words, narrow)
    with pytest.raises(AlignmentError, match="too short for its text"):
        align(model, audio, "S AA " * 40)
    with pytest.raises(AlignmentError, match="has never heard the phone AA"):
        align(replace(model, phones=("IY", "M", "S", "SIL"), aliases={}), audio, "S AA")
    with pytest.raises(InputError, match="has learnt no it-IT yet"):
        load_flatstart("it-IT")


@pytest.mark.parametrize("lead_s", [-0.04, 0.04])
def test_moved_boundaries_leave_every_phone_its_length(
    model: FlatstartModel, lead_s: float
) -> None:
    samples, truth = recording(phones_of(3), 3)
    # Neither silence nor much of the outer phones: they hardly last longer than boundaries move.
    begin, end = (round(t * RATE) for t in (truth[1][1] - 0.02, truth[-2][0] + 0.02))
    cut = Audio(np.ascontiguousarray(samples[begin:end]))
    alignment = align(replace(model, lead_s=lead_s), cut, " ".join(labels(truth)))
    assert min(p.duration_s for p in alignment.phones) > 0
    assert alignment.phones[0].start_s == 0.0
    assert alignment.phones[-1].end_s == cut.duration_s


# --- In an index --------------------------------------------------------------------------------


def test_learners_are_aligned_with_what_was_learnt(
    built: PhoneIndex, corpus: tuple[Path, dict[str, Spans]], tmp_path: Path
) -> None:
    ear = nativeear.load(built.path)
    assert isinstance(ear.aligner, FlatstartAligner)
    samples, truth = recording(phones_of(200), 200)
    soundfile.write(tmp_path / "me.wav", samples, RATE)
    right = ear.assess(tmp_path / "me.wav", phones=" ".join(labels(truth)))
    assert [p.verdict for word in right.words for p in word.phones] == ["correct"] * 6
    others = {"AA": "IY", "IY": "AA", "M": "S", "S": "M"}
    *said, last = labels(truth)
    wrong = ear.assess(tmp_path / "me.wav", phones=" ".join([*said, others[last]]))
    one, other = wrong.phones[-1].score, right.phones[-1].score
    assert one is not None and other is not None
    assert one < other - 40


def test_a_change_carries_the_aligner_on(built: PhoneIndex, tmp_path: Path) -> None:
    assert built.aligner_model is not None
    learnt = sha256_of(built.aligner_model)
    path = tmp_path / "index"
    shutil.copytree(built.path, path)
    more = tmp_path / "more"
    truth = speak(more, range(50, 58))
    report = add(AddRequest(path, (str(table(more, truth, by_phones)),)))
    assert (report.utterances, report.set_aside) == (48, ())
    grown = PhoneIndex.open(path)
    assert grown.aligner_model is not None and sha256_of(grown.aligner_model) == learnt
    added = {name: spans for name, spans in spoken_in(grown).items() if name in truth}
    assert np.median(errors_s(added, truth)) <= 0.02
    remove(path, speakers=[f"{corpus}/ben" for corpus in grown.codes("corpus")[1]])
    left = PhoneIndex.open(path)
    assert left.aligner_model is not None and sha256_of(left.aligner_model) == learnt
    third = tmp_path / "third"
    build(table(third, speak(third, range(60, 68)), by_phones), tmp_path / "other")
    other = PhoneIndex.open(tmp_path / "other")
    assert other.aligner_model is not None and sha256_of(other.aligner_model) != learnt
    merge([path, other.path], tmp_path / "merged")
    merged = PhoneIndex.open(tmp_path / "merged")
    assert merged.aligner_model is not None and sha256_of(merged.aligner_model) == learnt
    assert nativeear.load(merged.path).aligner.name == "flatstart"


# --- What a corpus may bring --------------------------------------------------------------------


def italian(truth: Mapping[str, Spans]) -> dict[str, Spans]:
    """The truth with Italian labels."""
    return {
        name: [(start, end, ITALIAN.get(label, "")) for start, end, label in spans]
        for name, spans in truth.items()
    }


def moved(spans: Spans, by_s: float) -> Spans:
    """The same intervals with every inner boundary moved."""
    inner = [end + by_s for _, end, _ in spans[:-1]]
    edges = [0.0, *inner, spans[-1][1]]
    return [(a, b, label) for (a, b), (_, _, label) in zip(pairwise(edges), spans, strict=True)]


def test_a_given_alignment_stands_as_it_is(tmp_path: Path) -> None:
    """Half of the corpus brings grids, 30 ms late throughout; the other half its phones."""
    folder = tmp_path / "corpus"
    truth = italian(speak(folder, range(30)))
    grids = {name: moved(spans, 0.03) for name, spans in truth.items() if int(name[1:]) < 15}
    rows = [("id", "audio", "phones", "textgrid", "speaker")]
    for name, spans in truth.items():
        grid = f"{name}.TextGrid" if name in grids else ""
        if grid:
            (folder / grid).write_text(textgrid(grids[name], "word"))
        rows.append((name, f"{name}.wav", " ".join(labels(spans)), grid, "anna"))
    with (folder / "utterances.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    build(folder, tmp_path / "index", language="it-IT", aligner="auto")
    index = PhoneIndex.open(tmp_path / "index")
    found = spoken_in(index)
    assert len(found) == 30
    assert errors_s({name: found[name] for name in grids}, grids).max() < 1e-6
    others = {name: spans for name, spans in found.items() if name not in grids}
    assert np.median(errors_s(others, truth)) <= 0.03


def test_grids_alone_teach_an_aligner_for_learners(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    truth = italian(speak(folder, range(20)))
    for name, spans in truth.items():
        (folder / f"{name}.TextGrid").write_text(textgrid(spans, "word"))
    assert rounds_of(folder, tmp_path / "counted", language="it-IT", aligner="auto") == 1
    build(folder, tmp_path / "index", language="it-IT", aligner="auto")
    index = PhoneIndex.open(tmp_path / "index")
    assert errors_s(spoken_in(index), truth).max() < 1e-6
    ear = nativeear.load(index.path)
    assert ear.aligner.name == "flatstart"
    samples, learner = recording(phones_of(300), 300)
    soundfile.write(tmp_path / "me.wav", samples, RATE)
    said = [ITALIAN[label] for label in labels(learner)]
    result = ear.assess(tmp_path / "me.wav", phones=" ".join(said))
    phones = [phone for word in result.words for phone in word.phones]
    assert [phone.verdict for phone in phones].count("correct") >= 5
    starts = [phone.start_s for phone in phones]
    assert starts == pytest.approx([span[0] for span in learner[1:-1]], abs=0.03)


def test_speech_that_nobody_labelled_is_not_learnt_as_silence(tmp_path: Path) -> None:
    """Grids that call half of all [s] `spn`: had it taught silence, silence would be noise."""
    folder = tmp_path / "corpus"
    truth = speak(folder, range(24))
    for name, spans in truth.items():
        names = {**ITALIAN, "S": "spn"} if int(name[1:]) % 2 else ITALIAN
        truth[name] = [(a, b, names.get(label, "")) for a, b, label in spans]
        (folder / f"{name}.TextGrid").write_text(textgrid(truth[name], "word"))
    build(folder, tmp_path / "index", language="it-IT", aligner="auto")
    learnt = PhoneIndex.open(tmp_path / "index").aligner_model
    assert learnt is not None
    model = FlatstartModel.load(learnt)
    silence = model.means[model.columns["SIL"][0]]
    noise = model.means[list(model.columns["s"])].mean(axis=0)
    nearest = min(
        float(np.linalg.norm(silence - model.means[list(model.columns[p])].mean(axis=0)))
        for p in ("a", "i", "m")
    )
    assert np.linalg.norm(silence - noise) > 0.5 * nearest


def test_letters_of_a_language_that_nobody_knows(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    truth = speak(folder, range(30))
    build(table(folder, truth, by_text), tmp_path / "index", language="qaa", g2p="graphemes")
    index = PhoneIndex.open(tmp_path / "index")
    assert index.inventory.notation == "letters"
    assert index.manifest.g2p == "graphemes"
    errors = errors_s(spoken_in(index), italian(truth))
    assert np.median(errors) <= 0.02
    assert (errors <= 0.05).mean() >= 0.85
    ear = nativeear.load(index.path)
    samples, learner = recording(phones_of(400), 400)
    soundfile.write(tmp_path / "me.wav", samples, RATE)
    text = by_text(learner)[0]
    result = ear.assess(tmp_path / "me.wav", text)
    assert [word.word for word in result.words] == text.split()
    assert [p.verdict for word in result.words for p in word.phones].count("correct") >= 5


def test_a_lexicon_stays_with_its_index(tmp_path: Path) -> None:
    """Words whose spelling says nothing; learners read them by the same lexicon."""
    folder = tmp_path / "corpus"
    truth = speak(folder, range(30))
    words: dict[str, str] = {}
    for spans in truth.values():
        for half in (labels(spans)[:3], labels(spans)[3:]):
            phones = " ".join(ITALIAN[label] for label in half)
            words.setdefault(phones, "x" + chr(ord("a") + len(words) // 20) * (len(words) % 20 + 1))
    lexicon = tmp_path / "own.txt"
    lexicon.write_text("".join(f"{word}\t{phones}\n" for phones, word in words.items()))

    def by_word(spans: Spans) -> tuple[str, str]:
        said = [ITALIAN[label] for label in labels(spans)]
        return f"{words[' '.join(said[:3])]} {words[' '.join(said[3:])]}", ""

    corpus = table(folder, truth, by_word)
    build(corpus, tmp_path / "index", language="qaa", lexicon=lexicon)
    index = PhoneIndex.open(tmp_path / "index")
    assert index.lexicon is not None and index.lexicon.read_bytes() == lexicon.read_bytes()
    assert index.inventory.symbols == ("a", "i", "m", "s")
    lexicon.unlink()
    result = nativeear.load(index.path).assess(folder / "u03.wav", by_word(truth["u03"])[0])
    assert [p.phone for word in result.words for p in word.phones] == [
        ITALIAN[label] for label in labels(truth["u03"])
    ]
    assert [p.verdict for word in result.words for p in word.phones].count("correct") >= 5


def test_parts_of_a_long_recording_with_a_kaldi_alignment(tmp_path: Path) -> None:
    """One recording per speaker, cut into segments; the CTM counts from its start."""
    folder = tmp_path / "data"
    folder.mkdir()
    files: dict[str, list[str]] = {"wav.scp": [], "segments": [], "utt2spk": [], "phones.ctm": []}
    truth: dict[str, Spans] = {}
    for speaker in ("anna", "ben"):
        parts, at = [], 0.0
        for number in range(8):
            name = f"{speaker}-{number}"
            samples, spans = recording(phones_of(number), number + 50 * (speaker == "ben"))
            for start, end, label in spans:
                file = f"{speaker} 1 {at + start:.4f} {end - start:.4f} {ITALIAN.get(label, 'sil')}"
                files["phones.ctm"].append(file)
            parts.append(samples)
            stop = at + len(samples) / RATE
            files["segments"].append(f"{name} {speaker} {at:.4f} {stop:.4f}")
            files["utt2spk"].append(f"{name} {speaker}")
            truth[name] = [(a, b, ITALIAN.get(label, "")) for a, b, label in spans]
            at = stop
        soundfile.write(folder / f"{speaker}.wav", np.concatenate(parts), RATE)
        files["wav.scp"].append(f"{speaker} {speaker}.wav")
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    report = build(folder, tmp_path / "aligned", language="it-IT", aligner="auto", clips="flac")
    assert (report.utterances, report.set_aside) == (16, ())
    index = PhoneIndex.open(tmp_path / "aligned")
    assert errors_s(spoken_in(index), truth).max() < 1e-3
    assert index.aligner_model is not None
    clip = index.clip(0)
    assert clip is not None
    exemplar = index.exemplar(0)
    assert soundfile.info(clip).duration == pytest.approx(
        truth[exemplar.utterance][-1][1], abs=1e-3
    )
    # The same without the alignment: texts alone, and the parts still know where they lie.
    (folder / "phones.ctm").unlink()
    texts = [f"{name} {''.join(labels(spans))}" for name, spans in truth.items()]
    (folder / "text").write_text("\n".join(texts) + "\n")
    build(folder, tmp_path / "learnt", language="qaa", g2p="graphemes")
    errors = errors_s(spoken_in(PhoneIndex.open(tmp_path / "learnt")), truth)
    assert np.median(errors) <= 0.02
