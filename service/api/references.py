"""Open indexes with all that assessing against them needs; a changed one is exchanged whole."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter

import numpy as np

from nativeear.indexes.catalogue import DEFAULT_INDEX, IndexSummary, find_index, list_indexes
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import MANIFEST, sha256_of
from nativeear.scoring.assessor import Assessor
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.problems import NotThereError
from nativeear.service.index_choice import fits
from nativeear.service.native_speech import NativeSpeech
from nativeear.speech.alignment import Aligner, Alignment
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.encoders.keeping import KeepingEncoder
from nativeear.speech.errors import InputError, NativeEarError
from nativeear.speech.frames import Encoder, Frames
from nativeear.speech.languages import primary_subtag

logger = logging.getLogger("nativeear.service")

AUTO = "auto"


class TimedEncoder:
    """An encoder whose time is taken."""

    def __init__(self, encoder: Encoder, metrics: Metrics) -> None:
        self._encoder = encoder
        self._metrics = metrics
        self.name = encoder.name
        self.fingerprint = encoder.fingerprint
        self.dim = encoder.dim
        self.phone_labels = getattr(encoder, "phone_labels", ())

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording."""
        with self._metrics.stage("encode"):
            return self._encoder.encode(audio)

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings."""
        with self._metrics.stage("encode"):
            return self._encoder.encode_batch(audios)


class TimedAligner:
    """An aligner whose time is taken."""

    def __init__(self, aligner: Aligner, metrics: Metrics) -> None:
        self._aligner = aligner
        self._metrics = metrics
        self.name = aligner.name
        self.needs_frames = bool(getattr(aligner, "needs_frames", False))

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Align one recording."""
        with self._metrics.stage("align"):
            return self._aligner.align(audio, pronunciation, frames)


@dataclass(eq=False)
class Reference:
    """One version of one index, ready to assess. Safe to share between threads.

    Attributes
    ----------
    name
        Its name in the catalogue.
    path
        Its folder.
    manifest_hash
        SHA-256 of the manifest that it was opened with.
    encoder
        Its encoder.
    """

    name: str
    path: Path
    manifest_hash: str
    encoder: KeepingEncoder
    _assessors: dict[str, Assessor]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, name: str, path: Path, metrics: Metrics) -> Reference:
        """Open an index and everything that assessing against it needs.

        Raises
        ------
        NativeEarError
            If it is damaged, or its encoder is not there.
        """
        import nativeear

        while True:
            before = sha256_of(path / MANIFEST)
            assessor = nativeear.load(path)
            if sha256_of(path / MANIFEST) == before:
                break  # else another version took its place meanwhile
        encoder = KeepingEncoder(TimedEncoder(assessor.encoder, metrics))
        assessor.encoder = encoder
        assessor.aligner = TimedAligner(assessor.aligner, metrics)
        return cls(name, path, before, encoder, {AUTO: assessor})

    @property
    def index(self) -> PhoneIndex:
        """The open index."""
        return self._assessors[AUTO].index

    @cached_property
    def native_speech(self) -> NativeSpeech:
        """What its natives can be heard saying."""
        return NativeSpeech.of(self.index)

    @property
    def assessor(self) -> Assessor:
        """The assessor with the usual calibration."""
        return self._assessors[AUTO]

    def assessor_of(self, calibration: str) -> Assessor:
        """The assessor that grades by a calibration.

        Raises
        ------
        InputError
            If there is no such calibration, or not for this index.
        """
        with self._lock:
            if calibration not in self._assessors:
                usual = self._assessors[AUTO]
                self._assessors[calibration] = Assessor(
                    usual.index,
                    usual.encoder,
                    usual.aligner,
                    usual.pronouncer,
                    calibration=calibration,
                )
            return self._assessors[calibration]

    def warm(self) -> None:
        """Run everything once, so that the first learner does not wait for what loads late."""
        index = self.index
        for row in np.flatnonzero(index.playable)[:1].tolist():
            exemplar, clip = index.exemplar(row), index.clip(row)
            if clip is not None:
                self.assessor.assess(Audio.load(clip), exemplar.word or None, phones=exemplar.phone)
                return
        noise = np.random.default_rng(0).normal(0, 0.05, SAMPLE_RATE)
        self.encoder.encode(Audio(noise.astype(np.float32)))


class References:
    """The indexes that a service offers. Safe to share between threads.

    Parameters
    ----------
    names
        Those that are offered; all of the catalogue if empty.
    metrics
        Where sizes and reloads are told.
    """

    def __init__(self, names: Sequence[str], metrics: Metrics) -> None:
        self._names = tuple(names)
        self._metrics = metrics
        self._open: dict[str, Reference] = {}
        self._opening: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def offered(self) -> tuple[IndexSummary, ...]:
        """What can be asked for, the default first; damaged indexes too."""
        known = list_indexes()
        if self._names:
            by_name = {summary.name: summary for summary in known}
            known = tuple(by_name[name] for name in self._names if name in by_name)
        return tuple(sorted(known, key=lambda summary: summary.name != self.default_name))

    @property
    def default_name(self) -> str:
        """The index that is meant where none is named."""
        return self._names[0] if self._names else DEFAULT_INDEX

    def choose(self, index: str | None, language: str | None) -> str:
        """The name of the index that a request means.

        Raises
        ------
        InputError
            If index and language disagree, or none or several speak the language.
        """
        usable = {s.name: s for s in self.offered() if not s.problem or s.name in self._open}
        listed = ", ".join(f"{s.name} ({s.language})" for s in usable.values()) or "none"
        if index:
            if index not in usable:
                raise InputError(
                    f"There is no index called {index!r}.",
                    cause=f"Offered: {listed}.",
                    fix="Name one of these.",
                )
            if language and not fits(language, self.language(usable[index])):
                raise InputError(
                    f"The index {index} speaks {usable[index].language}, not {language}.",
                    fix="Give either the index or the language, or two that agree.",
                )
            return index
        if not language:
            return self.default_name
        fitting = [s.name for s in usable.values() if fits(language, self.language(s))]
        if self.default_name in fitting:
            return self.default_name
        if len(fitting) == 1:
            return fitting[0]
        raise InputError(
            f"{'Several indexes speak' if fitting else 'No index speaks'} {language}.",
            cause=f"Offered: {listed}.",
            fix="Name one of these as the index.",
        )

    def check_spoken(self, language: str) -> None:
        """Refuse a language that no index speaks in any accent; where there is no index, none.

        Raises
        ------
        InputError
            If others are spoken, but not this one.
        """
        spoken = sorted({summary.language for summary in self.offered()})
        if spoken and primary_subtag(language) not in map(primary_subtag, spoken):
            raise InputError(
                f"No index speaks {language}.",
                cause=f"Spoken: {', '.join(spoken)}.",
                fix="Give the tag of a language that is assessed here.",
            )

    def accents(self, language: str) -> tuple[Reference, ...]:
        """Every index whose language has the same primary subtag; they are opened if need be.

        Raises
        ------
        InputError
            If none is offered.
        """
        usable = [s for s in self.offered() if not s.problem or s.name in self._open]
        wanted = primary_subtag(language)
        found = [s.name for s in usable if primary_subtag(self.language(s)) == wanted]
        if not found:
            listed = ", ".join(f"{s.name} ({s.language})" for s in usable) or "none"
            raise InputError(
                f"No index speaks {language}.",
                cause=f"Offered: {listed}.",
                fix="Ask for the language of one of these.",
            )
        return tuple(self.get(name) for name in found)

    def language(self, summary: IndexSummary) -> str:
        """Language of an index; of an open one as it was opened."""
        opened = self._open.get(summary.name)
        return opened.index.language if opened else summary.language

    def get(self, name: str) -> Reference:
        """An open index; it is opened if it has to be, which takes seconds.

        Raises
        ------
        NotThereError
            If it is not offered.
        NativeEarError
            If it cannot be opened.
        """
        opened = self._open.get(name)
        if opened is not None:
            return opened
        if name not in {summary.name for summary in self.offered()}:
            raise NotThereError(
                f"There is no index called {name!r}.", fix="See /v1/indexes for their names."
            )
        with self._lock:
            opening = self._opening.setdefault(name, threading.Lock())
        with opening:
            if name not in self._open:
                self._take_into_service(self._opened(name))
            return self._open[name]

    def opened(self) -> tuple[Reference, ...]:
        """Those that are open."""
        return tuple(self._open.values())

    def reload_changed(self) -> None:
        """Exchange every open index whose folder holds another version by now.

        Requests that were begun with the old version end with it. A new version that cannot be
        opened is told in the log, and the old one stays.
        """
        for old in self.opened():
            try:
                if sha256_of(old.path / MANIFEST) == old.manifest_hash:
                    continue
                read_manifest(old.path)
                self._take_into_service(self._opened(old.name))
            except (OSError, NativeEarError) as error:
                logger.warning("the index %s stays as it was: %s", old.name, error)
            else:
                self._metrics.reloads.labels(old.name).inc()

    def _opened(self, name: str) -> Reference:
        started = perf_counter()
        reference = Reference.open(name, find_index(name), self._metrics)
        reference.warm()
        logger.info(
            "index %s, version %d, opened in %.1f s",
            name,
            reference.index.manifest.revision,
            perf_counter() - started,
        )
        return reference

    def _take_into_service(self, reference: Reference) -> None:
        self._open[reference.name] = reference
        exemplars = reference.index.manifest.counts.exemplars
        self._metrics.index_exemplars.labels(reference.name).set(exemplars)
