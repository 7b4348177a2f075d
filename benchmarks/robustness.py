"""What a result makes of recordings and texts that are not what they should be.

    OMP_NUM_THREADS=1 python -m benchmarks.robustness [--parts recordings noise splices texts
        stability neighbours] [--sentences 12] [--learners 100] [--decibels 20 10]

Natives whom neither the index nor any training has heard (`native-english`), and learners.

`recordings`  each sentence is treated in one way. Silence, noise and another sentence must not
              score; what a telephone or a compressor does must cost little; another native nothing.
`noise`       learners of speechocean762 as recorded and with white noise; PCC with the experts'
              scores per phone, AUC of those below 0.5. Encoder and judge have learnt from these
              speakers: only differences mean something.
`splices`     a phone is replaced, in the sound itself, by another of the same speaker; all around
              it stays. A judge that guesses phones from their surroundings keeps calling it right.
              AUC is of spliced against untouched phones.
`texts`       what was meant is changed: a phone that nobody said is added (a deletion), one that
              was said is taken out (an insertion). Found, and found in vain.
`stability`   natives and learners as they are and a little later, quieter, or with silence around
              them, which is not the speaker's doing: verdicts that change, and points of the score.
`neighbours`  a word of a native is replaced, in the sound, by another that he said elsewhere:
              points that this costs the words beside it, and those further on.

Scores are compared by both calibrations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

import nativeear
from benchmarks import neighbours, stability
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import NATIVES, SPEECHOCEAN, rows_of
from nativeear.scoring.metrics import pearson, roc_auc
from nativeear.scoring.verdicts import FLAGGED
from nativeear.service.demo import splice
from nativeear.speech.alignment import AlignedPhone
from tests.support import treatments

SEED = 11
CALIBRATIONS = ("expert", "training-free")
WRONG_BELOW = 0.5
SHORTEST_S, LONGEST_S = 0.05, 0.25
"""Of phones that are exchanged: long enough to be heard, short enough to be one sound."""
EACH = 6
"""Changes of a sentence."""
SPACING = 8
"""Canonical phones from one changed place to the next."""

Ears = dict[str, nativeear.Assessor]


@dataclass(frozen=True)
class Sentence:
    """A sentence as a native reads it, and what others said."""

    text: str
    own: nativeear.Audio
    another: nativeear.Audio
    different: nativeear.Audio
    babble: tuple[nativeear.Audio, ...]


def sentences(n: int) -> list[Sentence]:
    """N sentences in a seeded order, with the voices in turn."""
    rows = rows_of(NATIVES)
    by_name: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_name.setdefault(row["id"].split("_")[1], []).append(row)
    rng = np.random.default_rng(SEED)
    names = rng.permutation([name for name in sorted(by_name) if len(by_name[name]) > 1]).tolist()
    found = []
    for i in range(n):
        voices, others = (by_name[names[(i + k) % len(names)]] for k in (0, 1))
        own, another = voices[i % len(voices)], voices[(i + 1) % len(voices)]
        behind = [rows[k] for k in rng.permutation(len(rows))[:4].tolist()]
        one, two, three, *babble = (
            nativeear.Audio.load(r["audio"]) for r in (own, another, others[0], *behind)
        )
        found.append(Sentence(own["text"], one, two, three, tuple(babble)))
    return found


def treated(rng: np.random.Generator) -> dict[str, Callable[[Sentence], nativeear.Audio]]:
    """What is done to a sentence, by name."""
    return {
        "as it is": lambda s: s.own,
        "another native": lambda s: s.another,
        "0.8 times as fast": lambda s: treatments.stretched(s.own, 0.8),
        "1.25 times as fast": lambda s: treatments.stretched(s.own, 1.25),
        "telephone band": lambda s: treatments.telephone(s.own),
        "MP3, 64 kbit/s": lambda s: treatments.mp3(s.own),
        "white noise, 20 dB": lambda s: treatments.noisy(s.own, 20, rng),
        "babble, 20 dB": lambda s: treatments.babble(s.own, s.babble, 20),
        "vocal tract 12 % longer": lambda s: treatments.resampled(s.own, 1.12),
        "another sentence": lambda s: s.different,
        "only loud noise": lambda s: treatments.loud_noise(s.own, rng),
        "only faint noise": lambda s: treatments.faint_noise(s.own, rng),
    }


def treat_recordings(ears: Ears, read: Sequence[Sentence]) -> None:
    """Score, flagged phones and refusals by treatment."""
    rows = []
    for treatment, treat in treated(np.random.default_rng(SEED)).items():
        recordings = [treat(sentence) for sentence in read]
        for name, ear in ears.items():
            scores: list[float] = []
            flags: list[bool] = []
            mismatched = refused = 0
            for sentence, recording in zip(read, recordings, strict=True):
                try:
                    result = ear.assess(recording, sentence.text)
                except nativeear.NativeEarError:
                    refused += 1
                    continue
                mismatched += result.reading is not None and not result.reading.matches
                if result.score.pronunciation is not None:
                    scores.append(result.score.pronunciation)
                flags += [phone.verdict in FLAGGED for phone in result.phones]
            score = f"{np.mean(scores):.1f}" if scores else "–"
            share = f"{np.mean(flags):.1%}" if flags else "–"
            told = f"{mismatched} of {len(read) - refused}"
            rows.append((treatment, name, score, share, told, refused))
    header = ("recording", "calibration", "score", "phones flagged", "does not match", "refused")
    show(f"{len(read)} sentences of unseen natives; seed {SEED}", header, rows)


def add_noise(ears: Ears, learners: int, decibels: Sequence[float]) -> None:
    """Agreement with experts, with less and less of speech over noise."""
    read = rows_of(SPEECHOCEAN)
    chosen = read[:: max(1, len(read) // learners)][:learners]
    rows = []
    for level in (None, *decibels):
        rng = np.random.default_rng(SEED)
        heard = {name: (list[float](), list[float]()) for name in ears}
        for row in chosen:
            audio = nativeear.Audio.load(row["audio"])
            audio = audio if level is None else treatments.noisy(audio, level, rng)
            experts = [float(score) for score in row["phone_scores"].replace("|", " ").split()]
            for name, ear in ears.items():
                result = ear.assess(audio, phones=row["phones"])
                for phone, expert in zip(result.phones, experts, strict=True):
                    if phone.score is not None:
                        heard[name][0].append(phone.score)
                        heard[name][1].append(expert)
        for name, (scores, told) in heard.items():
            score, rated = np.array(scores), np.array(told)
            figures = (pearson(score, rated), roc_auc(rated < WRONG_BELOW, -score))
            noise = "none" if level is None else f"{level:g} dB below"
            rows.append((noise, name, len(score), *(f"{figure:.3f}" for figure in figures)))
    header = ("noise", "calibration", "phones judged", "PCC", "AUC")
    show(f"{len(chosen)} recordings of learners", header, rows)


@dataclass
class Spliced:
    """Scores of phones by one calibration, and how it calls those that were spliced."""

    untouched: list[float] = field(default_factory=list)
    spliced: list[float] = field(default_factory=list)
    flagged: list[bool] = field(default_factory=list)
    recognised: list[bool] = field(default_factory=list)


def spelled(result: nativeear.Assessment, change: Callable[[list[str]], None] | None = None) -> str:
    """The phones of a result as `assess` takes them; one change is made to them in a row."""
    words = [[phone.phone for phone in word.phones] for word in result.words if word.phones]
    phones = [phone for word in words for phone in (*word[:-1], f"{word[-1]} |")]
    phones[-1] = phones[-1].removesuffix(" |")
    if change:
        change(phones)
    return " ".join(phones)


def exchangeable(result: nativeear.Assessment) -> list[tuple[int, AlignedPhone]]:
    """Phones of a result that may be exchanged, with their places."""
    return [
        (place, AlignedPhone(phone.phone, phone.start_s, phone.end_s, 0))
        for place, phone in enumerate(result.phones)
        if phone.start_s is not None
        and phone.end_s is not None
        and SHORTEST_S <= phone.end_s - phone.start_s <= LONGEST_S
    ]


def splice_phones(ears: Ears, count: int) -> None:
    """Exchange phones of one speaker in the sound."""
    rng = np.random.default_rng(SEED)
    found = {name: Spliced() for name in ears}
    plain = ears["training-free"]
    rows = rows_of(NATIVES)
    for row in rows[:: max(1, len(rows) // count)][:count]:
        donors = [r for r in rows if r["speaker"] == row["speaker"] and r is not row]
        other = donors[int(rng.integers(len(donors)))]
        audio, donor = (nativeear.Audio.load(r["audio"]) for r in (row, other))
        read = plain.assess(audio, row["text"])
        phones = spelled(read)
        sources = exchangeable(plain.assess(donor, other["text"]))
        targets = exchangeable(read)
        before = {name: ear.assess(audio, phones=phones) for name, ear in ears.items()}
        for i in rng.permutation(len(targets))[:EACH].tolist():
            place, target = targets[i]
            different = [phone for _, phone in sources if phone.phone != target.phone]
            source = different[int(rng.integers(len(different)))]
            changed = splice(audio, target, donor, source)
            for name, ear in ears.items():
                after = ear.assess(changed, phones=phones).phones[place]
                was = before[name].phones[place]
                if after.score is None or was.score is None:
                    continue
                found[name].untouched.append(was.score)
                found[name].spliced.append(after.score)
                found[name].flagged.append(after.verdict in FLAGGED)
                heard = after.sounds_like[0].phone if after.sounds_like else ""
                found[name].recognised.append(heard == source.phone)
    table = []
    for name, told in found.items():
        wrong = np.arange(2 * len(told.spliced)) < len(told.spliced)
        auc = roc_auc(wrong, -np.array([*told.spliced, *told.untouched]))
        shares = (f"{np.mean(values):.1%}" for values in (told.flagged, told.recognised))
        table.append((name, len(told.spliced), f"{auc:.3f}", *shares))
    header = ("calibration", "splices", "AUC", "flagged", "sounds like what it is")
    show(f"{count} sentences of unseen natives; seed {SEED}", header, table)


def change_texts(ears: Ears, read: Sequence[Sentence]) -> None:
    """Claim phones that nobody said, and leave out phones that were said."""
    plain = ears["training-free"]
    counts = {name: dict.fromkeys(("deleted", "in vain", "inserted", "vain"), 0) for name in ears}
    deletions = insertions = phones = 0
    rng = np.random.default_rng(SEED)
    for sentence in read:
        result = plain.assess(sentence.own, sentence.text)
        canonical = [phone.phone for phone in result.phones]
        sizes = [len(word.phones) for word in result.words for _ in word.phones]
        places = [k for k in range(SPACING // 2, len(sizes), SPACING) if sizes[k] > 2][:EACH]
        added = [str(rng.choice(sorted(set(canonical)))) for _ in places]
        phones, deletions = phones + len(canonical), deletions + len(places)
        insertions += len(places)

        def claim(own: list[str], places: list[int] = places, added: list[str] = added) -> None:
            for place, phone in reversed(list(zip(places, added, strict=True))):
                own.insert(place, phone)

        def omit(own: list[str], places: list[int] = places) -> None:
            for place in reversed(places):
                own[place] = "|" if own[place].endswith("|") else ""

        claimed = {place + i for i, place in enumerate(places)}
        for name, ear in ears.items():
            untouched = ear.assess(sentence.own, phones=spelled(result))
            longer = ear.assess(sentence.own, phones=spelled(result, claim))
            shorter = ear.assess(sentence.own, phones=spelled(result, omit))
            gone = {k for k, phone in enumerate(longer.phones) if phone.verdict == "deleted"}
            spans = [result.phones[place] for place in places]
            count = counts[name]
            count["deleted"] += len(gone & claimed)
            count["in vain"] += sum(phone.verdict == "deleted" for phone in untouched.phones)
            count["vain"] += len(untouched.insertions)
            count["inserted"] += sum(
                any(
                    one.start_s < (phone.end_s or 0) and one.end_s > (phone.start_s or 0)
                    for one in shorter.insertions
                )
                for phone in spans
            )
    rows = [
        (
            name,
            f"{count['deleted']} of {deletions}",
            f"{count['in vain']} of {phones}",
            f"{count['inserted']} of {insertions}",
            f"{count['vain']} in {len(read)}",
        )
        for name, count in counts.items()
    ]
    header = ("calibration", "deletions", "in vain, phones", "insertions", "in vain, sentences")
    show(f"{len(read)} sentences of unseen natives, changed in meaning; seed {SEED}", header, rows)


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parts = ("recordings", "noise", "splices", "texts", "stability", "neighbours")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--sentences", type=int, default=12)
    parser.add_argument("--learners", type=int, default=100)
    parser.add_argument("--decibels", type=float, nargs="*", default=[20.0, 10.0])
    options = parser.parse_args()
    ears = {name: nativeear.load("en-US", calibration=name) for name in CALIBRATIONS}
    read = sentences(options.sentences) if {"recordings", "texts"} & set(options.parts) else []
    if "recordings" in options.parts:
        treat_recordings(ears, read)
    if "noise" in options.parts:
        add_noise(ears, options.learners, options.decibels)
    if "splices" in options.parts:
        splice_phones(ears, options.sentences)
    if "texts" in options.parts:
        change_texts(ears, read)
    if "stability" in options.parts:
        stability.measure(ears, options.sentences, options.learners)
    if "neighbours" in options.parts:
        neighbours.measure(ears, options.sentences)


if __name__ == "__main__":
    main()
