"""An aligner for a language that none serves: learnt from the corpus that is being indexed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nativeear.indexer.corpus import Utterance
from nativeear.indexer.encoded_utterance import EncodedUtterance, duration_at, encoded_name
from nativeear.indexer.flatstart import FIT_S, SEED, Progress, fit_flatstart
from nativeear.indexer.state_statistics import TrainingUtterance
from nativeear.indexer.utterances import UtterancePooler, reason_of
from nativeear.indexer.worker_pool import Runner
from nativeear.speech.aligners.catalogue import choose_aligner
from nativeear.speech.errors import CorpusError, NativeEarError

FIRST = 64
"""Utterances whose length tells how many more are needed."""


def has_to_learn(pooler: UtterancePooler) -> bool:
    """Whether an aligner has to be learnt: for this corpus, or for learners of this language.

    A corpus that brings its alignments needs none for itself, yet learners are aligned too.
    """
    if pooler.request.model is not None:
        return False
    if pooler.aligner_name == "textgrid":
        return choose_aligner("auto", pooler.inventory, pooler.encoder) == "flatstart"
    return pooler.aligner_name == "flatstart"


def fit_from_speech(
    pooler: UtterancePooler,
    utterances: Sequence[Utterance],
    model: Path,
    run: Runner,
    *,
    workers: int,
    progress: Progress,
) -> None:
    """Learn an aligner from some of the utterances, unless `model` is there already.

    Encoded utterances rest beside `model`: an interrupted run goes on where it was, and what was
    heard for the fit is not heard again when it is pooled.

    Raises
    ------
    CorpusError
        If no utterance could be used.
    """
    if model.is_file():
        return
    pooler.encoded_folder.mkdir(exist_ok=True)
    chosen, first_reason = _encode_some(pooler, utterances, run, progress)
    if not chosen:
        raise CorpusError(
            "No utterance of the corpus could be used.",
            cause=f"For instance: {first_reason}" if first_reason else "",
            fix="Check that audio, texts and language belong together.",
        )
    chosen.sort(key=lambda item: item.path.name)
    fitted = fit_flatstart(
        chosen,
        pooler.inventory,
        pooler.encoder.fingerprint,
        workers=workers,
        progress=progress,
    )
    partial = model.with_suffix(".partial")
    fitted.save(partial)
    partial.rename(model)


def _encode_some(
    pooler: UtterancePooler, utterances: Sequence[Utterance], run: Runner, progress: Progress
) -> tuple[list[TrainingUtterance], str]:
    """`FIT_S` seconds of utterances in a seeded order, and why the first of the others is none."""
    chosen: list[TrainingUtterance] = []
    first_reason, tried, encoded_s = "", 0, 0.0
    stage = "Hearing the corpus"
    order = np.random.default_rng(SEED).permutation(len(utterances)).tolist()
    while tried < len(order) and encoded_s < FIT_S:
        more = FIRST if not encoded_s else math.ceil((FIT_S - encoded_s) / encoded_s * tried)
        batch = [utterances[i] for i in order[tried : tried + more]]
        paths = [pooler.encoded_folder / encoded_name(utterance) for utterance in batch]
        missing = [i for i, path in enumerate(paths) if not path.is_file()]
        encoding = run(encode_into, [batch[i] for i in missing], [paths[i] for i in missing])
        reasons = {}
        for done, (i, reason) in enumerate(zip(missing, encoding, strict=True), 1):
            reasons[i] = reason
            progress(stage, tried + done, len(order))
        for i, (utterance, path) in enumerate(zip(batch, paths, strict=True)):
            reason = reasons.get(i, "")
            if not reason:
                try:
                    duration_s = duration_at(path)
                    chosen.append(_training_utterance(pooler, utterance, path, duration_s))
                    encoded_s += duration_s
                except NativeEarError as error:
                    reason = reason_of(error)
            first_reason = first_reason or reason
        tried += len(batch)
    progress(stage, len(order), len(order))
    return chosen, first_reason


def encode_into(pooler: UtterancePooler, utterance: Utterance, path: Path) -> str:
    """Encode one utterance for the fit; returns the reason if it cannot be used, else ''."""
    try:
        audio = pooler.recording(utterance)
        EncodedUtterance.of(audio, pooler.frames(utterance, audio)).save(path, audio)
    except NativeEarError as error:
        return reason_of(error)
    return ""


def _training_utterance(
    pooler: UtterancePooler, utterance: Utterance, path: Path, duration_s: float
) -> TrainingUtterance:
    ready = pooler.ready_alignment(utterance, duration_s)
    if ready is not None:
        return TrainingUtterance(path, None, ready)
    return TrainingUtterance(path, pooler.pronounce(utterance))
