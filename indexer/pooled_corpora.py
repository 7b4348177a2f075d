"""Corpora → a record of pooled phones for each utterance: the longest stage of a build."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from nativeear.indexer.assembly import Progress, libraries, no_progress
from nativeear.indexer.cluster import start_ray_workers
from nativeear.indexer.corpus import Corpus, Utterance
from nativeear.indexer.fitting import fit_from_speech, has_to_learn
from nativeear.indexer.head_fitting import fit_head_from_speech
from nativeear.indexer.mismatches import mismatches
from nativeear.indexer.pool import Record
from nativeear.indexer.pooled_utterance import record_name
from nativeear.indexer.textgrid_files import align_with_mfa
from nativeear.indexer.utterances import UtterancePooler, pool_into, pool_with_frames_into
from nativeear.indexer.worker_pool import Runner, start_workers
from nativeear.indexes.index_files import ALIGNER, HEAD
from nativeear.indexes.native_margins import MIN_SPEAKERS
from nativeear.indexes.phone_index import Name
from nativeear.indexes.publishing import sha256_of
from nativeear.indexes.set_aside import SetAsideUtterance
from nativeear.speech.errors import CorpusError, InputError

SEED = 0
"""Of the choice of utterances that keep their frames."""


@dataclass(frozen=True)
class PooledCorpora:
    """What the pooling stage made of corpora."""

    records: tuple[Record, ...]  # the finished utterances
    set_aside: tuple[SetAsideUtterance, ...]  # the others, with reasons
    # Files that belong to the index beside its exemplars, by the names that they have there: the
    # aligner that was learnt from the corpora, the phone head that was fitted on them.
    companions: dict[str, Path] = field(default_factory=dict)

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """Ids of what was set aside, with reasons."""
        return tuple((item.utterance, item.reason) for item in self.set_aside)


def pool_corpora(
    corpora: Sequence[Corpus],
    pooler: UtterancePooler,
    work: Path,
    *,
    workers: int = 1,
    ray: str | None = None,
    resume: bool = False,
    exclude: frozenset[str | Name] = frozenset(),
    exclude_speakers: frozenset[Name] = frozenset(),
    fits_head: bool = False,
    frames_of: int = 0,
    progress: Progress = no_progress,
) -> PooledCorpora:
    """Pool every utterance of corpora into a record in `work`.

    Parameters
    ----------
    work
        Folder of the records. It is emptied first, unless `resume` is set and the records there
        were made in the same way; then only what is missing is made.
    ray
        Address of a Ray cluster that works instead of `workers`.
    exclude, exclude_speakers
        Utterances and speakers to leave out, see `indexer.build.BuildRequest`.
    fits_head
        Whether a phone head is fitted on the speech, see `indexer.head_fitting`.
    frames_of
        How many utterances keep their frames, in a seeded choice: where there are many voices,
        and no phone head hears them.

    Raises
    ------
    CorpusError
        If nothing could be used. Single broken utterances are set aside instead.
    """
    pairs = [
        (corpus, utterance)
        for corpus in corpora
        for utterance in corpus.utterances
        if not is_left_out(corpus, utterance, exclude, exclude_speakers)
    ]
    # Of an aligner or a head that is learnt, a record depends on all the speech; else on its own.
    names = [(corpus.name, utterance.id) for corpus, utterance in pairs]
    _prepare(work, pooler, resume, names if fits_head or has_to_learn(pooler) else [])
    if fits_head:
        pooler = pooler.with_head(work / HEAD)
    refused: list[SetAsideUtterance] = []
    if pooler.aligner_name == "mfa":
        pairs, refused = _aligned_by_mfa(pairs, pooler, work, workers if ray is None else None)
        pooler = UtterancePooler(replace(pooler.request, aligner="textgrid"))
    records = [
        Record(
            corpus.name, corpus.licence, utterance, work / record_name(corpus.name, utterance.id)
        )
        for corpus, utterance in pairs
    ]
    companions, reasons = _run(
        records,
        pooler,
        work,
        fits_head=fits_head,
        frames_of=frames_of if _speakers(records) >= MIN_SPEAKERS else 0,
        workers=workers,
        ray=ray,
        progress=progress,
    )
    pooled = [i for i, reason in enumerate(reasons) if not reason]
    for i, reason in zip(pooled, mismatches([records[i].path for i in pooled]), strict=True):
        reasons[i] = reason
    set_aside = [
        *(
            SetAsideUtterance(c.name, item.id, "", item.reason)
            for c in corpora
            for item in c.set_aside
        ),
        *refused,
        *(r.set_aside(reason) for r, reason in zip(records, reasons, strict=True) if reason),
    ]
    kept = [record for record, reason in zip(records, reasons, strict=True) if not reason]
    if not kept:
        raise nothing_usable("used", [(item.utterance, item.reason) for item in set_aside])
    return PooledCorpora(tuple(kept), tuple(set_aside), companions)


def _speakers(records: Sequence[Record]) -> int:
    return len({(record.corpus, record.utterance.speaker) for record in records})


def aligner_of(pooler: UtterancePooler, corpora: Sequence[Corpus]) -> str:
    """The aligner that `auto` means for corpora; `auto` where only some bring alignments."""
    ready = [
        bool(utterance.textgrid or utterance.spans)
        for corpus in corpora
        for utterance in corpus.utterances
    ]
    if pooler.request.aligner != "auto" or not any(ready):
        return pooler.aligner_name
    return "textgrid" if all(ready) else "auto"


def is_left_out(
    corpus: Corpus,
    utterance: Utterance,
    exclude: frozenset[str | Name],
    exclude_speakers: frozenset[Name],
) -> bool:
    """Whether an utterance was excluded by its name or by its speaker."""
    named = {utterance.id, (corpus.name, utterance.id)} & exclude
    return bool(named) or (corpus.name, utterance.speaker) in exclude_speakers


def _prepare(
    work: Path, pooler: UtterancePooler, resume: bool, learnt_from: Sequence[tuple[str, str]]
) -> None:
    """Make the folder of records; what is in it stays only if it was made in the same way."""
    request = pooler.request
    identity = json.dumps(
        [
            request.language,
            request.aligner,
            pooler.encoder.fingerprint,
            request.dtype,
            request.pooling,
            request.g2p,
            request.lexicon and sha256_of(request.lexicon),
            pooler.inventory.to_json(),
            learnt_from,
            libraries(),
        ],
        sort_keys=True,
    )
    note = work / "request.json"
    same = note.is_file() and note.read_text(encoding="utf-8") == identity
    if work.exists() and not (resume and same):
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(identity, encoding="utf-8")


def nothing_usable(verb: str, set_aside: Sequence[tuple[str, str]]) -> CorpusError:
    """What is raised where every utterance was set aside, each with its reason."""
    first = f" For instance {set_aside[0][0]}: {set_aside[0][1]}" if set_aside else ""
    return CorpusError(
        f"No utterance of the corpus could be {verb}.",
        cause=f"{len(set_aside)} were set aside.{first}",
        fix="Check that audio, texts and language belong together.",
    )


def _aligned_by_mfa(
    pairs: Sequence[tuple[Corpus, Utterance]],
    pooler: UtterancePooler,
    work: Path,
    workers: int | None,
) -> tuple[list[tuple[Corpus, Utterance]], list[SetAsideUtterance]]:
    """Let MFA align the utterances, many at a time; the others with reasons."""
    if workers is None:
        raise InputError(
            "MFA aligns on one machine, not on a Ray cluster.",
            fix="Align first, with `nativeear align --aligner mfa`, and build from the TextGrids.",
        )
    aligned: list[tuple[Corpus, Utterance]] = []
    refused: list[SetAsideUtterance] = []
    grids = work / "grids"
    jobs = [
        (utterance, grids / f"{record_name(corpus.name, utterance.id)}.TextGrid")
        for corpus, utterance in pairs
    ]
    corpus_of = {id(utterance): corpus for corpus, utterance in pairs}
    for utterance, grid, reason in align_with_mfa(jobs, pooler, grids, workers):
        if reason:
            name = corpus_of[id(utterance)].name
            refused.append(SetAsideUtterance(name, utterance.id, utterance.speaker, reason))
        else:
            aligned.append((corpus_of[id(utterance)], replace(utterance, textgrid=grid)))
    return aligned, refused


def _run(
    records: list[Record],
    pooler: UtterancePooler,
    work: Path,
    *,
    fits_head: bool,
    frames_of: int,
    workers: int,
    ray: str | None,
    progress: Progress,
) -> tuple[dict[str, Path], list[str]]:
    """Learn an aligner and a head where needed, and make the records; a reason each, '' if fine."""
    companions: dict[str, Path] = {}
    learns = has_to_learn(pooler)
    if learns:
        companions[ALIGNER] = work / ALIGNER
        pooler = pooler.with_model(work / ALIGNER)
    with start_workers(pooler, workers) if ray is None else start_ray_workers(pooler, ray) as run:
        if learns:
            fit_from_speech(
                pooler,
                [record.utterance for record in records],
                companions[ALIGNER],
                run,
                workers=workers,
                progress=progress,
            )
        if fits_head:
            companions[HEAD] = work / HEAD
            utterances = [record.utterance for record in records]
            fit_head_from_speech(pooler, utterances, companions[HEAD], progress)
        reasons = _pool_all(run, records, frames_of, progress)
    return companions, reasons


def _pool_all(run: Runner, records: list[Record], frames_of: int, progress: Progress) -> list[str]:
    """Make every record that is not there yet; a reason per record, '' where it is fine."""
    stage = "Aligning and encoding"
    todo = [i for i, record in enumerate(records) if not record.path.is_file()]
    reasons = [""] * len(records)
    done = len(records) - len(todo)
    progress(stage, done, len(records))
    order = np.random.default_rng(SEED).permutation(len(records)).tolist()
    heard = set(order[:frames_of])
    for task, own in (
        (pool_with_frames_into, [i for i in todo if i in heard]),
        (pool_into, [i for i in todo if i not in heard]),
    ):
        work = run(task, [records[i].utterance for i in own], [records[i].path for i in own])
        for i, reason in zip(own, work, strict=True):
            reasons[i] = reason
            done += 1
            progress(stage, done, len(records))
    return reasons
