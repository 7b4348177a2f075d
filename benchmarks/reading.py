"""Is it told what was read of a text, what not, and what beside it?

    python -m benchmarks.reading [--data DIR] [--each 30] [--right 0] [--choosing]
    python -m benchmarks.reading --language fr --index DIR/fr [--each 30]

Slips are made in recordings that hold their text: in the text (a word that nobody read, half of
the words exchanged, another order, another sentence, one word of another) and in the sound, at the
edges of words as pocketsphinx lays them, with short cross-fades (a word cut out, doubled or begun
twice, a word of the same speaker put between two, the end or the beginning cut away, noise as loud
in place of a word, which was said, if beyond recognition). What six
natives read was recognised by machines; rows that are `agreed` leave out texts that these disagreed
about: a native who read another word than the text has is told so, rightly. Costs were set on one
half of the speakers, `--choosing`; the table is of the other. The learners are speechocean762's
training split, all of whom the shipped encoder has heard.

In another language the recordings are those of Debian's prompts that `benchmarks.languages --keep
DIR` left out of the index, whose own aligner lays the edges. Costs without a phone head were set on
es and ru.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nativeear
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import DATA
from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.readers.asterisk import VOICES
from nativeear.scoring.reading import TextReader
from nativeear.speech.aligners.catalogue import load_aligner, needs_frames
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.errors import NativeEarError
from nativeear.speech.frames import FloatArray
from nativeear.speech.languages import primary_subtag
from nativeear.speech.reading.heard import heard_word
from nativeear.speech.reading.reading import Reading
from nativeear.speech.steadying import steadied
from training.splits import is_held_out

SEED = 25
FADE_S = 0.005
LONGEST_PROMPT_S = 12.0
LEAST_PHONES = 3
"""Of a word that a slip is about."""

LONG = 5
"""Phones from which a word is long."""

AGREED = ("5", "checked")
"""What natives' texts are said to rest on where nobody who heard them doubts them."""

CHOOSING = frozenset({"SF1", "SM1", "TF1"})
WRONG_KINDS = ("wrong", "half", "reordered", "one word")


@dataclass(frozen=True)
class Spoken:
    """A recording that holds its text, as far as is known: `doubted` if not all who heard agree."""

    speaker: str
    group: str
    audio: Path
    text: str
    doubted: bool = False

    @property
    def samples(self) -> FloatArray:
        """Its sound."""
        return Audio.load(self.audio).samples

    @property
    def rng(self) -> np.random.Generator:
        """The same for the same recording."""
        digest = hashlib.sha256(f"{SEED} {self.audio.name}".encode()).hexdigest()
        return np.random.default_rng(int(digest[:12], 16))


@dataclass(frozen=True, eq=False)
class Sound:
    """The sound of a recording and where its words lie, by their index."""

    samples: FloatArray
    spans: dict[int, tuple[int, int]]
    broken: dict[int, int]
    words: tuple[str, ...]

    @property
    def long(self) -> list[int]:
        """Words that slips are made of."""
        return list(self.broken)


@dataclass(frozen=True, eq=False)
class Trial:
    """What is read against what, the word that a slip is about, and the one that was put in."""

    kind: str
    group: str
    text: str
    samples: FloatArray
    word: int = -1
    added: str = ""
    doubted: bool = False


def recordings(data: Path, *, choosing: bool) -> list[Spoken]:
    """Natives, and learners whose phones experts scored 1 or more on the mean."""
    found = []
    for group, name in (("natives", "native-english"), ("learners", "speechocean762-train")):
        with (data / name / "utterances.csv").open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                speaker = row["speaker"]
                chosen = int(speaker) % 2 == 0 if speaker.isdigit() else speaker in CHOOSING
                scores = [float(s) for s in row.get("phone_scores", "2").replace("|", " ").split()]
                if chosen == choosing and np.mean(scores) >= 1:
                    doubted = row.get("agreement", AGREED[0]) not in AGREED
                    audio = data / name / row["audio"]
                    found.append(Spoken(speaker, group, audio, row["text"], doubted))
    return found


def prompts(short: str, pronounce: Callable[[str], Pronunciation]) -> list[Spoken]:
    """Debian's prompts of a language that are held out of its index, where words are words."""
    return [
        Spoken(u.speaker, "natives", u.audio, u.text)
        for u in read_corpus(f"asterisk:{short}").utterances
        if is_held_out(u.id)
        and u.text
        and len(pronounce(u.text).words) == len(u.text.split())
        and Audio.load(u.audio).duration_s <= LONGEST_PROMPT_S
    ]


def drawn(speech: Sequence[Spoken], each: int, *, after: int = 0) -> list[Spoken]:
    """As many of a group as `each` says for each of three speakers, spread over all speakers.

    As many as `after` says are passed over.
    """
    order = sorted(speech, key=lambda one: one.rng.random())
    return [
        one
        for group in ("natives", "learners")
        for one in [one for one in order if one.group == group][3 * after : 3 * each]
    ]


def text_trials(one: Spoken, samples: FloatArray, others: Sequence[Spoken]) -> Iterator[Trial]:
    """Slips in the text."""
    rng = one.rng
    words = one.text.split()
    own = {_plain(word) for word in words}
    new = [
        word
        for other in (others[i] for i in rng.permutation(len(others)))
        for word in other.text.split()
        if _plain(word) not in own
    ]

    def trial(kind: str, text: Sequence[str], word: int = -1) -> Trial:
        return Trial(kind, one.group, " ".join(text), samples, word, doubted=one.doubted)

    yield trial("right", words)
    at = int(rng.integers(len(words) + 1))
    yield trial("unread", [*words[:at], new[0], *words[at:]], at)
    yield trial("one word", [new[1]])
    other = others[int(rng.integers(len(others)))].text.split()
    if len(own & {_plain(word) for word in other}) <= 0.3 * len(other):
        yield trial("wrong", other)
    if len(words) >= 4:
        places = set(rng.permutation(len(words))[: (len(words) + 1) // 2].tolist())
        yield trial("half", [new[i] if i in places else w for i, w in enumerate(words)])
    if len(own) == len(words) >= 5:
        order = rng.permutation(len(words)).tolist()
        if _longest_rise(order) <= 0.6 * len(order):
            yield trial("reordered", [words[i] for i in order])


def sound_trials(one: Spoken, sound: Sound, donor: Sound | None) -> Iterator[Trial]:
    """Slips in the sound."""
    rng = one.rng
    at = int(rng.choice(sound.long))
    first, past = sound.spans[at]
    samples = sound.samples
    half = len(sound.words) // 2
    pieces: dict[str, tuple[int, Sequence[FloatArray]]] = {
        "cut": (at, (samples[:first], samples[past:])),
        "doubled": (at, (samples[:past], samples[first:])),
        "restart": (at, (samples[: sound.broken[at]], samples[first:])),
        "stopped": (half, (samples[: sound.spans[half][0]],)),
        "late": (half, (samples[sound.spans[half][0] :],)),
    }
    theirs = [i for i in donor.long if donor.words[i] not in sound.words] if donor else []
    added = ""
    if donor and theirs:
        other = int(rng.choice(theirs))
        begin, end = donor.spans[other]
        added = donor.words[other]
        pieces["added"] = at, (samples[:past], donor.samples[begin:end], samples[past:])
    loudness = np.sqrt((samples[first:past] ** 2).mean())
    noise = (loudness * rng.standard_normal(past - first)).astype(np.float32)
    pieces["drowned"] = at, (samples[:first], noise, samples[past:])
    for kind, (word, parts) in pieces.items():
        yield Trial(kind, one.group, one.text, spliced(parts), word, added)


def spliced(pieces: Sequence[FloatArray]) -> FloatArray:
    """Pieces one after the other, with short cross-fades."""
    whole = pieces[0]
    for piece in pieces[1:]:
        n = min(round(FADE_S * SAMPLE_RATE), len(whole), len(piece))
        ramp = np.linspace(0, 1, n, dtype=np.float32)
        faded = whole[len(whole) - n :] * (1 - ramp) + piece[:n] * ramp
        whole = np.concatenate([whole[: len(whole) - n], faded, piece[n:]])
    return np.ascontiguousarray(whole, dtype=np.float32)


def told(trial: Trial, read: Reading, lengths: Sequence[int]) -> dict[str, list[bool]]:
    """What is to be counted of a trial, by the name of its row; `lengths` are the words' phones."""
    words = len(lengths)

    def about(*kinds: str) -> list[bool]:
        return [any(e.kind in kinds and e.word_index == trial.word for e in read.events)]

    if trial.kind in WRONG_KINDS:
        return {f"{trial.kind}: refused": [not read.matches]}
    if trial.kind == "right":
        rows = {
            "right: refused": [not read.matches],
            "right: any event": [bool(read.events)],
            "right: words called omitted": [i in read.omitted for i in range(words)],
            "right: words of one or two phones called omitted": [
                i in read.omitted for i in range(words) if lengths[i] < LEAST_PHONES
            ],
        }
        agreed = {f"agreed, {row}": values for row, values in rows.items()}
        return rows if trial.doubted else rows | agreed
    if trial.kind == "drowned":
        return {"drowned: called omitted": [trial.word in read.omitted]}
    rest = {
        "stopped": frozenset(range(trial.word, words)),
        "late": frozenset(range(trial.word)),
    }.get(trial.kind)
    if rest is not None:
        near = len(rest ^ read.omitted) <= 1
        return {f"{trial.kind}: rest omitted, up to one word": [near]}
    kinds = {
        "unread": ("omitted",),
        "cut": ("omitted",),
        "doubled": ("repeated",),
        "restart": ("restart", "repeated"),
        "added": ("extra",),
    }[trial.kind]
    name = trial.kind
    if lengths[trial.word] < LEAST_PHONES and name == "unread":
        return {"unread of one or two: told at its place": about(*kinds)}
    if name == "restart":
        name += " behind one phone" if lengths[trial.word] // 2 < 2 else " behind two and more"
    elif name in ("unread", "cut", "doubled"):
        name += " of five phones and more" if lengths[trial.word] >= LONG else " of three or four"
    return {
        f"{trial.kind}: told at its place": about(*kinds),
        f"{name}: told at its place": about(*kinds),
        "slips: refused": [not read.matches],
    }


def words_told(
    trial: Trial, read: Reading, meant: Pronunciation, assessor: nativeear.Assessor
) -> dict[str, list[bool]]:
    """Whether a word is told for what was added, and whether it sounds like the one that was."""
    said = {form.phones for form in assessor.pronounce(trial.added).words[0].variants}
    words = [
        heard_word(event.phones, assessor.inventory, meant)
        for event in read.events
        if event.kind == "extra" and event.word_index == trial.word
    ]
    return {
        "added: told as a word": [word is not None for word in words],
        "added: the word that was told was said": [
            any(form.phones in said for form in assessor.pronounce(word).words[0].variants)
            for word in words
            if word is not None
        ],
    }


def _plain(word: str) -> str:
    return word.lower().strip(".,;:?!\"'")


def _longest_rise(order: Sequence[int]) -> int:
    """Length of the longest run of words that is still in order."""
    best: list[int] = []
    for i, one in enumerate(order):
        before = [best[j] for j, other in enumerate(order[:i]) if other < one]
        best.append(1 + max(before, default=0))
    return max(best)


def sounds(assessor: nativeear.Assessor) -> Callable[[Spoken], Sound | None]:
    """Finds the sound of a recording and where its words lie; None where no slip can be made."""
    english = primary_subtag(assessor.language) == "en"
    aligner = load_aligner("pocketsphinx") if english else assessor.aligner

    def sound_of(one: Spoken) -> Sound | None:
        audio = Audio.load(one.audio)
        try:
            meant = assessor.pronounce(one.text)
            frames = assessor.encoder.encode(audio) if needs_frames(aligner) else None
            found = aligner.align(audio, meant, frames)
        except NativeEarError:
            return None
        spans, broken = {}, {}
        for i in range(len(found.words)):
            phones = [phone for phone in found.spoken if phone.word_index == i]
            edges = (phones[0].start_s, phones[-1].end_s, phones[len(phones) // 2 - 1].end_s)
            first, past, middle = (round(edge * SAMPLE_RATE) for edge in edges)
            spans[i] = first, past
            if len(phones) >= LEAST_PHONES:
                broken[i] = middle
        usable = len(found.words) >= 4 and len(found.words) == len(one.text.split()) and broken
        return Sound(audio.samples, spans, broken, found.words) if usable else None

    return sound_of


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--each", type=int, default=30, help="recordings for each of 3 speakers")
    parser.add_argument("--right", type=int, default=0, help="as many, if more, read right alone")
    parser.add_argument("--choosing", action="store_true", help="the half that costs were set on")
    parser.add_argument("--language", choices=tuple(VOICES), default="en")
    parser.add_argument("--index", default="en-US", help="the language's, see above")
    options = parser.parse_args()
    assessor = nativeear.load(options.index)
    if primary_subtag(assessor.language) != options.language:
        parser.error(f"--index holds {assessor.language}.")
    reader, sound_of = TextReader(assessor.index), sounds(assessor)
    if options.language == "en":
        everything = recordings(options.data, choosing=options.choosing)
    else:
        everything = prompts(options.language, assessor.pronounce)
    counts: dict[tuple[str, str], list[bool]] = defaultdict(list)

    def judge(trials: Iterator[Trial]) -> None:
        frames, heard = None, None
        for trial in trials:
            audio = steadied(Audio(trial.samples)).audio
            if frames is None or heard is not trial.samples:
                frames, heard = assessor.encoder.encode(audio), trial.samples
            meant = assessor.pronounce(trial.text)
            lengths = [min(len(form) for form in word.variants) for word in meant.words]
            read = reader.read(meant, frames, audio)
            rows = told(trial, read, lengths)
            if trial.kind == "added":
                rows |= words_told(trial, read, meant, assessor)
            for row, values in rows.items():
                counts[row, trial.group] += values

    for one in drawn(everything, options.each):
        others = [o for o in everything if o.group == one.group and o.text != one.text]
        judge(text_trials(one, one.samples, others))
        sound = sound_of(one)
        if sound is not None:
            own = [o for o in others if o.speaker == one.speaker]
            donor = sound_of(own[one.rng.integers(len(own))]) if own else None
            judge(sound_trials(one, sound, donor))
    for one in drawn(everything, options.right, after=options.each):
        judge(iter([Trial("right", one.group, one.text, one.samples, doubted=one.doubted)]))
    rows, groups = [], tuple(dict.fromkeys(group for _, group in counts))
    for row in dict.fromkeys(row for row, _ in counts):
        cells = []
        for group in groups:
            values = counts[row, group]
            cells.append(f"{np.mean(values):.4f} of {len(values)}" if values else "–")
        rows.append((row, *cells))
    show("", ("slip", *groups), rows)


if __name__ == "__main__":
    main()
