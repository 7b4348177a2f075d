"""What an evaluation is asked for, and the utterances that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from nativeear.indexer.annotated_corpus import AnnotatedCorpus
from nativeear.indexer.readers.annotated import (
    cmukids,
    isle,
    l2arctic,
    manifest,
    native,
    speechocean762,
)
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.evaluation.bootstrap import RESAMPLES
from nativeear.scoring.evaluation.judgements import BY_VERDICT, Detection
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.service.second_ear import Judge
from nativeear.speech.errors import InputError

Baseline = Literal["recogniser"]

CorpusKind = Literal["speechocean762", "l2arctic", "isle", "cmukids", "simulated", "manifest"]


@dataclass(frozen=True)
class EvaluationRequest:
    """What `nativeear eval` is asked for.

    Attributes
    ----------
    kind, data, split
        The corpus: its layout, where it lies, and which part of it.
    index
        Name or folder of an index.
    speakers
        Only these; all if empty.
    limit
        At most so many utterances, drawn with `seed`; all if None.
    detection
        What counts as a rejection.
    encoder, calibration, false_rejections
        See `nativeear.load`.
    exclude_own
        Whether the speaker's own exemplars stay silent; those of the utterance itself always do.
    judge
        The second ear that is measured in our place.
    baseline
        Another detector that is measured beside us, on the same recordings; none if None.
    workers
        Processes; the result does not depend on their number.
    seed
        Of `limit`, of the simulated errors and of the resampling.
    out, resume
        File for the assessments, and whether rows that are there already are taken over.
    """

    kind: CorpusKind
    data: str
    index: str | Path
    split: str | None = None
    speakers: tuple[str, ...] = ()
    limit: int | None = None
    detection: Detection = BY_VERDICT
    encoder: str | None = None
    calibration: str = "auto"
    false_rejections: float = FALSE_REJECTIONS
    exclude_own: bool = True
    judge: Judge | None = None
    baseline: Baseline | None = None
    workers: int = 1
    seed: int = 0
    resamples: int = RESAMPLES
    out: Path | None = None
    resume: bool = False


def read_corpus(
    request: EvaluationRequest, index: PhoneIndex
) -> tuple[AnnotatedCorpus, tuple[str, ...]]:
    """The utterances that were asked for, and what the index calls their corpus."""
    whole = _read(request, index)
    own = names_in_index(whole, index)
    return _choose(_of_split(whole, request, index, own), request), own


def _read(request: EvaluationRequest, index: PhoneIndex) -> AnnotatedCorpus:
    """The corpus by the reader of its kind."""
    data, split = Path(request.data), request.split
    if request.kind == "speechocean762":
        return speechocean762.read(data, split)
    if request.kind == "l2arctic":
        return l2arctic.read(data, split)
    if request.kind == "isle":
        return isle.read(data, split)
    if request.kind == "manifest":
        return manifest.read(data, split)
    read = cmukids.read if request.kind == "cmukids" else native.read
    return read(request.data, index.inventory)


def _of_split(
    corpus: AnnotatedCorpus, request: EvaluationRequest, index: PhoneIndex, own: Sequence[str]
) -> AnnotatedCorpus:
    """The part that was asked for; of native speech, by what the index holds."""
    if request.kind not in {"cmukids", "simulated"}:
        return corpus  # its reader has taken it
    held = {id for its_corpus, id in index.utterances[1] if its_corpus in own}
    return corpus.held_out(held, request.split)


def names_in_index(corpus: AnnotatedCorpus, index: PhoneIndex) -> tuple[str, ...]:
    """What an index calls a corpus, or parts of it: its own name, and others of the same speech.

    Who built the index may have called it otherwise. Another corpus is the same one if an
    utterance of the same id is by a speaker of the same name.
    """
    own, names = index.utterances
    by, speakers = index.speakers
    rows = np.unique(own, return_index=True)[1]
    spoken = {(u.id, u.speaker.id) for u in corpus.utterances}
    same = {
        its_corpus
        for (its_corpus, id), row in zip(names, rows.tolist(), strict=True)
        if (id, speakers[by[row]][1]) in spoken
    }
    return (corpus.name, *sorted(same - {corpus.name}))


def _choose(corpus: AnnotatedCorpus, request: EvaluationRequest) -> AnnotatedCorpus:
    """The speakers and the number of utterances that were asked for, in the corpus's order."""
    chosen = corpus.utterances
    if request.speakers:
        known = {utterance.speaker.id for utterance in chosen}
        unknown = [speaker for speaker in request.speakers if speaker not in known]
        if unknown:
            raise InputError(
                f"{corpus.name} has no speaker {unknown[0]!r} in this part.",
                cause=f"Its speakers: {', '.join(sorted(known)) or 'none'}.",
                fix="Name some of these with --speakers, or another --split.",
            )
        chosen = tuple(u for u in chosen if u.speaker.id in request.speakers)
    if request.limit is not None and request.limit < len(chosen):
        drawn = np.random.default_rng(request.seed).permutation(len(chosen))[: request.limit]
        chosen = tuple(chosen[i] for i in sorted(drawn.tolist()))
    if not chosen:
        first = "; ".join(f"{item.id}: {item.reason}" for item in corpus.set_aside[:3])
        raise InputError(
            f"{corpus.name} has no utterance to assess in this part.",
            cause=f"{len(corpus.set_aside)} were set aside. {first}".strip(),
            fix="Choose another --split, or mend these.",
        )
    return corpus.keeping(chosen)
