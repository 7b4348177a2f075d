"""An evaluation from the corpus to the report: readers, worker processes, measures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial

from nativeear.indexer.annotated_corpus import AnnotatedCorpus, AnnotatedUtterance
from nativeear.indexer.corpus import SetAside
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import MANIFEST
from nativeear.indexes.reliability import phone_reliability
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.evaluation.judgements import (
    Judgements,
    JudgementTable,
)
from nativeear.scoring.evaluation.measures import Counts, Evaluation, counts_of, evaluate
from nativeear.scoring.evaluation.report import EvaluationReport, Material, System
from nativeear.scoring.evaluation.simulated import (
    KINDS,
    Kind,
    Simulation,
    claimable,
    paired_measures,
)
from nativeear.service.evaluation_corpus import EvaluationRequest, read_corpus
from nativeear.service.evaluation_worker import Reading, load_evaluator
from nativeear.service.failures import error_object
from nativeear.service.result_rows import ResultRows
from nativeear.service.version import RELEASE
from nativeear.service.workers import Died, in_processes
from nativeear.speech.errors import InputError

Progress = Callable[[str, int, int], None]
Measured = Callable[[Judgements], Evaluation]

ANNOTATED = "annotated"
UNTOUCHED = "untouched"


def run_evaluation(
    request: EvaluationRequest, progress: Progress = lambda *_: None
) -> EvaluationReport:
    """Assess a corpus and measure how well the assessments agree with it.

    Raises
    ------
    NativeEarError
        If the corpus or the index cannot be used, or not one utterance could be assessed.
        Single failures are listed in the report instead.
    """
    path = find_index(request.index)
    index = PhoneIndex.open(path)
    corpus, own = read_corpus(request, index)
    if request.out is None:
        return _run(corpus, _Run(request, index, own, None, progress))
    with ResultRows(request.out, "nativeear eval", resume=request.resume) as rows:
        return _run(corpus, _Run(request, index, own, rows, progress))


def _run(corpus: AnnotatedCorpus, run: _Run) -> EvaluationReport:
    request, index = run.request, run.index
    simulates = request.kind in {"simulated", "cmukids"}
    claims = claimable(phone_reliability(index), index.inventory)
    simulation = Simulation(claims, index.inventory, request.seed)
    altered: dict[Kind, list[AnnotatedUtterance]] = {kind: [] for kind in KINDS}

    def claim_errors(annotated: AnnotatedUtterance, untouched: Assessment) -> None:
        for kind, utterances in altered.items():
            with_errors = simulation.with_errors(annotated, untouched, kind)
            if with_errors is not None:
                utterances.append(with_errors)

    measured = partial(evaluate, resamples=request.resamples, seed=request.seed)
    part = UNTOUCHED if simulates else ANNOTATED
    first = run.judge(corpus.utterances, part, claim_errors if simulates else None)
    parts = {part: measured(first.judgements, request.detection)}
    judged = {part: first}
    if simulates:
        for kind, utterances in altered.items():
            if not utterances:
                raise InputError(
                    "There is no phone to simulate an error on.",
                    cause=f"The index judges {len(claims)} phones.",
                    fix="Choose an index that speaks the language of the corpus.",
                )
            second = run.judge(utterances, kind)
            judged[kind] = second
            evaluation = measured(second.judgements, request.detection)
            paired = paired_measures(
                second.judgements,
                first.judgements,
                request.detection,
                resamples=request.resamples,
                seed=request.seed,
            )
            parts[kind] = replace(evaluation, measures=evaluation.measures | paired)
    return _report(corpus, run, first, parts, _beside(judged, measured))


def _beside(
    judged: Mapping[str, _Judged], measured: Measured
) -> dict[str, tuple[Evaluation, Counts]]:
    """The baseline's measures on the phones that ours judges, and its verdicts on the others.

    It knows verdicts alone: no threshold could be laid on it.
    """
    found = {}
    for name, part in judged.items():
        if part.baseline is not None:
            ours = ~part.judgements.uncertain
            found[name] = (measured(part.baseline.where(ours)), counts_of(part.baseline, ~ours))
    return found


def _report(
    corpus: AnnotatedCorpus,
    run: _Run,
    judged: _Judged,
    parts: dict[str, Evaluation],
    beside: Mapping[str, tuple[Evaluation, Counts]],
) -> EvaluationReport:
    request, index = run.request, run.index
    heard_before = {name for its_corpus, name in index.speakers[1] if its_corpus in run.own}
    speakers = {utterance.speaker.id for utterance in corpus.utterances}
    return EvaluationReport(
        Material(
            kind=request.kind,
            name=corpus.name,
            data=request.data,
            split=corpus.split,
            speakers_in_index=len(speakers & heard_before),
            set_aside=corpus.set_aside,
            failed=tuple(run.failed),
        ),
        System(
            index=index.name,
            language=index.language,
            encoder=judged.encoder,
            calibration=judged.calibration,
            detection=request.detection,
            exclude_own=request.exclude_own,
            seed=request.seed,
            resamples=request.resamples,
        ),
        parts,
        corpus.notes,
        request.baseline or "",
        {name: evaluation for name, (evaluation, _) in beside.items()},
        {name: declined for name, (_, declined) in beside.items()},
    )


@dataclass(frozen=True, eq=False)
class _Judged:
    """One set of transcripts, judged, and by what."""

    judgements: Judgements
    baseline: Judgements | None
    encoder: str
    calibration: str


class _Run:
    """Assesses set after set of transcripts, and gathers what fails."""

    def __init__(
        self,
        request: EvaluationRequest,
        index: PhoneIndex,
        own: tuple[str, ...],
        rows: ResultRows | None,
        progress: Progress,
    ) -> None:
        self.request = request
        self.index = index
        self.own = own
        self._rows = rows
        self._progress = progress
        self._settings = _settings(request, index)
        self.failed: list[SetAside] = []

    def judge(
        self,
        utterances: Sequence[AnnotatedUtterance],
        part: str,
        then: Callable[[AnnotatedUtterance, Assessment], None] | None = None,
    ) -> _Judged:
        """Assess every utterance, and call `then` with each while its assessment is there.

        Raises
        ------
        InputError
            If not one could be assessed.
        """
        table = JudgementTable(self.index.inventory)
        beside = JudgementTable(self.index.inventory)
        baseline = self.request.baseline
        last: Assessment | None = None
        readings = [
            Reading.of(utterance, part, self.own, exclude_own=self.request.exclude_own)
            for utterance in utterances
        ]
        with closing(self._answers(readings, part)) as answers:
            for done, (utterance, row) in enumerate(zip(utterances, answers, strict=True), 1):
                result = json.loads(row)
                try:
                    if "error" in result:
                        error = result["error"]
                        raise InputError(error["message"], cause=error["cause"])
                    last = Assessment.model_validate(result["assessment"])
                    table.add(utterance, last)
                    if baseline is not None:
                        beside.add(utterance, Assessment.model_validate(result[baseline]))
                    if then is not None:
                        then(utterance, last)
                except InputError as error:
                    reason = " ".join(filter(None, (error.message, error.cause)))
                    self.failed.append(SetAside(utterance.id, reason))
                self._progress(_stage(part), done, len(utterances))
        if last is None:
            first = self.failed[0]
            raise InputError(
                "Not one utterance could be assessed.",
                cause=f"{first.id}: {first.reason}",
                fix="Check that the index speaks the language of the corpus.",
            )
        return _Judged(
            table.judgements(),
            None if baseline is None else beside.judgements(),
            last.encoder,
            last.calibration,
        )

    def _answers(self, readings: Sequence[Reading], part: str) -> Generator[str, None, None]:
        """A row for every reading, in order, found again or made now."""
        self._progress(_stage(part), 0, len(readings))
        rows, request = self._rows, self.request
        keys = [_key(self._settings, reading) for reading in readings]
        missing = [
            reading
            for reading, key in zip(readings, keys, strict=True)
            if rows is None or key not in rows
        ]
        work = partial(
            load_evaluator,
            self.index.path,
            encoder=request.encoder,
            calibration=request.calibration,
            false_rejections=request.false_rejections,
            judge=request.judge,
            baseline=request.baseline,
        )
        with closing(in_processes(work, missing, request.workers)) as made:
            for reading, key in zip(readings, keys, strict=True):
                if rows is not None and key in rows:
                    yield rows.take(key)
                    continue
                answer = next(made)
                fresh = _row(reading, key, answer)
                if rows is not None:
                    rows.write(fresh)
                yield fresh


def _stage(part: str) -> str:
    return {
        ANNOTATED: "Assessing",
        UNTOUCHED: "Assessing natives",
        "any": "Assessing with any errors",
        "near": "Assessing with near errors",
    }[part]


def _settings(request: EvaluationRequest, index: PhoneIndex) -> str:
    """What changes assessments beside the reading itself."""
    manifest_hash = hashlib.sha256((index.path / MANIFEST).read_bytes()).hexdigest()
    shape = json.dumps(Assessment.model_json_schema(), sort_keys=True)
    judged = (request.calibration, request.false_rejections, request.judge, request.baseline)
    told = " ".join(str(each) for each in judged if each is not None)
    return f"{RELEASE or ''} {manifest_hash} {told} {shape}"


def _key(settings: str, reading: Reading) -> str:
    text = json.dumps([settings, asdict(reading)], default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _row(reading: Reading, key: str, answer: str | Died) -> str:
    """A line of the results; a failure carries no key, so that it is tried again."""
    head = {"id": reading.id, "part": reading.part}
    if isinstance(answer, Died):
        error = error_object(answer.error("utterance"))
        return json.dumps(head | {"error": error}, ensure_ascii=False)
    result = json.loads(answer)
    if "error" not in result:
        head["key"] = key
    return json.dumps(head | result, ensure_ascii=False, separators=(",", ":"))
