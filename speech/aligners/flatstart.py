"""A small hidden Markov model of one language's phones over an encoder's frames.

It is learnt from nothing but recordings and their phones (`indexer.flatstart`): no aligner, no
dictionary of another language, no training of a network. Frames are freed of the channel and the
speaker by their mean, mapped by a linear discriminant in which states have unit variance, and a
state's score is then the density of a unit Gaussian around its mean. Aligning is the best path
through the states of the text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.aligners.frame_scores import frame_edges_s, speech_frames
from nativeear.speech.aligners.graphs import SpelledText, read_path, spell_hmm
from nativeear.speech.aligners.viterbi import best_path
from nativeear.speech.alignment import SILENCE, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.errors import AlignmentError, IndexFormatError, InputError
from nativeear.speech.frames import FloatArray, Frames

FORMAT_VERSION = 1
PRIOR_FRAMES = 100.0
"""Frames of speech with which the corpus's mean stands beside an utterance's own: a single word
must not lose its sound along with its channel."""

SHORTEST_PAUSE_S = 0.05
SHARPNESS = 0.2
"""Scale of the log densities in a confidence: neighbouring frames say much the same, so their
densities must not be multiplied as if they were independent."""


@dataclass(frozen=True, eq=False)
class FlatstartModel:
    """The phones of a language as states, in an encoder's space.

    Attributes
    ----------
    language
        BCP 47 tag.
    encoder
        Fingerprint of the encoder whose frames it knows.
    phones
        The phones, `SILENCE` last.
    states
        States per phone, 1 to 3; silence has one.
    centre
        float32 `[D]`, mean of the corpus's speech frames.
    matrix
        float32 `[D, d]`, the linear discriminant of centred frames.
    means
        float32 `[C, d]`, C = states · (phones − 1) + 1.
    aliases
        The phone whose states stand in for one that the corpus does not have.
    lead_s
        Seconds by which its boundaries come too late, which `align` takes off.
    """

    language: str
    encoder: str
    phones: tuple[str, ...]
    states: int
    centre: FloatArray
    matrix: FloatArray
    means: FloatArray
    aliases: Mapping[str, str]
    lead_s: float = 0.0

    @cached_property
    def columns(self) -> dict[str, tuple[int, ...]]:
        """The states of every phone."""
        columns = state_columns(self.phones, self.states)
        return columns | {phone: columns[heard] for phone, heard in self.aliases.items()}

    def scores(self, features: FloatArray) -> FloatArray:
        """Log densities `[T, C]` of centred frames `[T, D]`, up to a constant per frame."""
        return densities(features @ self.matrix, self.means)

    def spell(self, pronunciation: Pronunciation) -> SpelledText:
        """The states of a text; an `AlignmentError` if it has a phone that the model lacks."""
        return spell(pronunciation, self.columns)

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        from safetensors.numpy import save_file

        described = {
            "format_version": FORMAT_VERSION,
            "language": self.language,
            "encoder": self.encoder,
            "phones": self.phones,
            "states": self.states,
            "aliases": dict(self.aliases),
            "lead_s": self.lead_s,
        }
        arrays = {"centre": self.centre, "matrix": self.matrix, "means": self.means}
        save_file(
            {name: np.ascontiguousarray(array) for name, array in arrays.items()},
            path,
            {"flatstart": json.dumps(described, sort_keys=True)},
        )

    @classmethod
    def load(cls, path: Path) -> FlatstartModel:
        """Read what `save` wrote.

        Raises
        ------
        IndexFormatError
            If it is damaged, or of another version.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "np") as file:
                described = json.loads((file.metadata() or {})["flatstart"])
                arrays = {name: file.get_tensor(name) for name in ("centre", "matrix", "means")}
            version = described.pop("format_version")
            described["phones"] = tuple(described["phones"])
            model = cls(**described, **arrays)
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            raise IndexFormatError(
                f"The aligner {path} is damaged.",
                cause=str(error).splitlines()[0],
                fix="Build the index again with `nativeear index build`.",
            ) from error
        if version != FORMAT_VERSION:
            raise IndexFormatError(
                f"The aligner {path} has format {version}; this release reads {FORMAT_VERSION}.",
                fix="Build the index again with `nativeear index build`.",
            )
        return model


class FlatstartAligner:
    """Aligns with a model that was learnt from a corpus."""

    name = "flatstart"
    needs_frames = True

    def __init__(self, model: FlatstartModel) -> None:
        self.model = model

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Align one recording by the frames of the encoder that the model knows.

        Raises
        ------
        AlignmentError
            If there are no frames, or no path through them.
        """
        if frames is None:
            raise AlignmentError("The aligner flatstart needs the encoder's frames.")
        return self.align_frames(
            frames, speech_frames(audio, frames), audio.duration_s, pronunciation
        )

    def align_frames(
        self,
        frames: Frames,
        loud: NDArray[np.bool_],
        duration_s: float,
        pronunciation: Pronunciation,
    ) -> Alignment:
        """Align a recording that is at hand as frames alone, `loud` `[T]` being `speech_frames`."""
        model = self.model
        if frames.embeddings.shape[1] != len(model.centre):
            raise AlignmentError(
                "The aligner flatstart knows another encoder.",
                cause=f"Its frames have {len(model.centre)} dimensions, these "
                f"{frames.embeddings.shape[1]}.",
                fix="Use the encoder that the index was built with.",
            )
        text = model.spell(pronunciation)
        scores = model.scores(centred(frames.embeddings, loud, model.centre))
        path = best_path(text.graph, scores)
        if path is None:
            raise no_room(len(frames), frames.hop_s)
        edges = frame_edges_s(frames, duration_s)
        # At the ends a boundary moves half of what is left there, so that no phone loses all of it.
        inner = edges[1:-1]
        edges[1:-1] = np.clip(inner - model.lead_s, inner / 2, (inner + duration_s) / 2)
        return read_path(
            text,
            path.states,
            _confidence(scores, text, path.states, model),
            edges,
            self.name,
            shortest_pause_s=SHORTEST_PAUSE_S,
        )


def load(language: str = "en-US", path: str | Path | None = None) -> FlatstartAligner:
    """Open the model of an index."""
    if path is None:
        raise InputError(
            f"The aligner flatstart has learnt no {language} yet.",
            cause="It learns from a whole corpus, not from one recording.",
            fix="Build an index with `nativeear index build`; it then aligns with that index.",
        )
    return FlatstartAligner(FlatstartModel.load(Path(path)))


def state_columns(phones: Sequence[str], states: int) -> dict[str, tuple[int, ...]]:
    """The states of every phone, counted through; silence has one."""
    columns: dict[str, tuple[int, ...]] = {}
    first = 0
    for phone in phones:
        number = 1 if phone == SILENCE else states
        columns[phone] = tuple(range(first, first + number))
        first += number
    return columns


def spell(pronunciation: Pronunciation, columns: dict[str, tuple[int, ...]]) -> SpelledText:
    """Spell a text as states; an `AlignmentError` if it has a phone without states."""
    try:
        return spell_hmm(pronunciation, columns)
    except KeyError as error:
        raise AlignmentError(
            f"The aligner has never heard the phone {error.args[0]}.",
            cause="It does not occur in the corpus that it learnt from.",
            fix="Add speech that has it.",
        ) from None


def centred(
    embeddings: FloatArray, heard: NDArray[np.bool_], centre: FloatArray | None = None
) -> FloatArray:
    """Frames `[T, D]` less the mean of those that are speech.

    With a `centre`, the mean of a whole corpus, the mean is drawn towards it as if `PRIOR_FRAMES`
    frames of speech had been there.
    """
    spoken = embeddings[heard]
    if centre is None:
        return np.asarray(embeddings - spoken.mean(axis=0))
    own = spoken.sum(axis=0, dtype=np.float64)
    mean = (own + PRIOR_FRAMES * centre) / (len(spoken) + PRIOR_FRAMES)
    return np.asarray(embeddings - mean.astype(np.float32))


def densities(features: FloatArray, means: FloatArray) -> FloatArray:
    """Log densities `[T, C]` of unit Gaussians, less what all of them share."""
    return np.asarray(features @ means.T - 0.5 * (means**2).sum(axis=1), dtype=np.float32)


def no_room(n_frames: int, hop_s: float) -> AlignmentError:
    """The error of a recording that has no path."""
    return AlignmentError(
        "The recording is too short for its text.",
        cause=f"No path leads through its {n_frames} frames of {hop_s * 1000:.0f} ms.",
        fix="Check that this recording and this text belong together.",
    )


def _confidence(
    scores: FloatArray, text: SpelledText, states: NDArray[np.int64], model: FlatstartModel
) -> NDArray[np.float64]:
    """Posterior of the aligned phone among all phones in every frame, `[T]`."""
    scaled = SHARPNESS * scores.astype(np.float64)
    probabilities = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    phone_of = np.empty(probabilities.shape[1], dtype=np.int64)
    for number, phone in enumerate(model.phones):
        phone_of[list(model.columns[phone])] = number
    aligned = phone_of[text.graph.column[states]]
    own = (probabilities * (phone_of[None, :] == aligned[:, None])).sum(axis=1)
    return np.asarray(own / probabilities.sum(axis=1))
