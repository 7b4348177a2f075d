"""`manifest.json`: what an index is, said in full."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from nativeear.indexes.recipe import Recipe
from nativeear.speech.alignment import SILENCE
from nativeear.speech.encoders.catalogue import Arithmetic
from nativeear.speech.pooling import Pooling

FORMAT_VERSION = 1

Clips = Literal["flac", "opus"]
"""Formats of recordings that are kept for playback."""

Codes = Literal["fp16", "sq8", "pq4", "pq2"]
"""How a cell keeps a vector of d dimensions: in half precision (2 d bytes), as a byte a dimension
(d), or with four or two bits a dimension (d / 2, d / 4), compared many at a time (product
quantisation with fast scan: Jégou et al., 2011; André et al., 2017)."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EarIdentity(_Model):
    """One of two ears that are heard together."""

    name: str
    fingerprint: str


class EncoderIdentity(_Model):
    """The encoder that made the vectors; `dtype` is the arithmetic of its network.

    Where it has two ears, `ears` are the one that is looked up and the one whose phone head is
    asked, and `fingerprint` follows from both; else there are none.
    """

    name: str
    layer: int | None
    fingerprint: str
    dim: int
    dtype: Arithmetic = "float32"
    ears: tuple[EarIdentity, ...] = ()


class LayerTrial(_Model):
    """A layer that was tried on natives who were left out, and what their margins tell there."""

    layer: int
    auc: float  # of natives against simulated errors
    accuracy: float  # share of the natives that are nearest to their own phone


class LayerChoice(_Model):
    """How `--layer auto` chose the encoder's layer, see `indexer.layer_choice`."""

    chosen: int
    # The sample: phones and silences, and seconds of speech.
    phones: int
    audio_s: float
    tried: tuple[LayerTrial, ...]  # in the order of the layers


class TransformIdentity(_Model):
    """The closed-form transform between the encoder's space and the search space."""

    kind: str
    dim: int
    fingerprint: str


class CorpusIdentity(_Model):
    """A corpus that gave exemplars."""

    name: str
    licence: str
    utterances: int
    audio_s: float


class Counts(_Model):
    """Sizes. `exemplars` and `phones`, their number per phone, have the silences among them."""

    exemplars: int
    utterances: int
    speakers: int
    audio_s: float
    phones: dict[str, int]

    @property
    def silences(self) -> int:
        """Exemplars of silence."""
        return self.phones.get(SILENCE, 0)

    @property
    def spoken(self) -> int:
        """Exemplars of phones: all but the silences."""
        return self.exemplars - self.silences


class Decision(_Model):
    """How this index decides; everything here was fitted on its own native speech."""

    top_m: int  # how many exemplars speak for a class
    # τ of the posterior softmax(s / τ): the one that makes the left-out natives most likely.
    temperature: float
    # Logistic map from ln(native quantile) to the probability of a simulated substitution at
    # `error_prior`. Part of the format; nothing is judged by it, for real errors are others.
    error_slope: float
    error_intercept: float
    error_prior: float  # the share of wrong phones that was assumed for that map
    # Share of left-out natives whose nearest class is their own phone (speakers are left out where
    # there are five or more, else utterances; a fifth of them at a time).
    native_accuracy: float


class FileIdentity(_Model):
    """Size and hash of one file of the folder."""

    bytes: int
    sha256: str


class SearchTrial(_Model):
    """A way to search that was measured on the index's own natives, each left out."""

    codes: Codes | None  # how the cells keep vectors; None for exact search
    cells: int  # how many there are
    # How many a query asks, see `indexes.cells.Probing`.
    nearest: int
    each: int
    recall: float  # share of the exact `k` nearest exemplars that were found, 0–1
    # The same of the exemplars that speak for a query's own phone and for its best competitor.
    phone_recall: float
    margin_error: float  # mean absolute difference of the margins from the exact ones
    milliseconds: float  # of a batch of `SearchChoice.batch` queries
    bytes: int  # what has to be in memory: the cells, or all vectors


class SearchChoice(_Model):
    """How an index is searched, and what `nativeear index optimize` measured."""

    # What was asked for.
    least_recall: float
    most_bytes: int
    # Natives that were asked, how many at a time, and how many neighbours of each.
    queries: int
    batch: int
    k: int
    chosen: SearchTrial  # the trial that was taken
    tried: tuple[SearchTrial, ...]  # all of them


class Manifest(_Model):
    """Everything that has to be known to open an index and to trust it.

    Attributes
    ----------
    aligner, g2p, min_rating
        What the index was built with, so that speech added later is treated alike.
    command
        The command that made this version.
    revision
        Number of this version: a change in place makes the next one.
    history
        The commands that made the versions before, the oldest first.
    search
        How it is searched; exactly if None.
    recipe
        How it can be built again; None where an earlier release built it.
    layer_choice
        How the encoder's layer was chosen; None where it was given or left to the encoder.
    seal
        SHA-256 of the file that this was read from, with zeros in the place of these digits; empty
        where an earlier release wrote it.
    """

    format_version: int
    name: str
    language: str
    inventory: dict[str, Any]
    encoder: EncoderIdentity
    pooling: Pooling
    transform: TransformIdentity
    classes: tuple[str, ...]
    counts: Counts
    corpora: tuple[CorpusIdentity, ...]
    decision: Decision
    command: str
    libraries: dict[str, str]
    clips: Clips | None
    files: dict[str, FileIdentity]
    aligner: str = "auto"
    g2p: str | None = None
    min_rating: float | None = None
    revision: int = 1
    history: tuple[str, ...] = ()
    search: SearchChoice | None = None
    recipe: Recipe | None = None
    layer_choice: LayerChoice | None = None
    seal: str = ""

    @field_validator("files")
    @classmethod
    def _inside(cls, files: dict[str, FileIdentity]) -> dict[str, FileIdentity]:
        """Let no file lie outside of the folder, whoever wrote the manifest."""
        for name in files:
            parts = PurePosixPath(name).parts
            if not parts or name.startswith("/") or {".."} & set(parts) or set(name) & set("\\:\0"):
                raise ValueError(f"{name!r} is no name of a file inside the index")
        return files

    def sealed_text(self) -> str:
        """The manifest as it is written, with its seal."""
        blank = self.model_copy(update={"seal": _BLANK_SEAL}).model_dump_json(indent=1) + "\n"
        return blank.replace(_BLANK_SEAL, _digest(blank))


_BLANK_SEAL = "0" * 64


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def seal_holds(text: str, manifest: Manifest) -> bool:
    """Whether every byte of a manifest's text is as it was sealed; True if it has no seal."""
    if not manifest.seal:
        return True
    blank = text.replace(manifest.seal, _BLANK_SEAL)
    return len(manifest.seal) == len(_BLANK_SEAL) and _digest(blank) == manifest.seal
