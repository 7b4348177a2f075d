"""What can be listened to: the learner's recording and native words, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.audio import Audio
from nativeear.speech.errors import AudioError

LEARNER = "learner"
"""Name of the learner's recording among the clips."""

MAX_CLIPS = 120
"""Native words in one report; a word takes about 4 kB."""

MAX_WORD_S = 1.5
"""Longest native word that is cut out; of a longer one, a stretch around the sound."""

MARGIN_S = 0.03
"""Kept before and after a word or sound: a cut at its very edge is heard as a click."""

_GAP_S = 0.05
_PEAK = 0.7


@dataclass(frozen=True)
class NativeClip:
    """A native word that holds an exemplar.

    Attributes
    ----------
    id
        Name of the clip; exemplars of one spoken word share it.
    source
        Its sound as a data URI.
    duration_s
        Its length.
    start_s, end_s
        Where the exemplar lies in it.
    """

    id: str
    source: str
    duration_s: float
    start_s: float
    end_s: float


def native_clips(rows: Iterable[int], index: PhoneIndex) -> dict[int, NativeClip]:
    """Cut out the words around exemplars, as far as the index keeps their recordings.

    Parameters
    ----------
    rows
        Exemplars, the most wanted first; those after the first `MAX_CLIPS` that have a recording
        get none.
    index
        Where they are.

    Returns
    -------
    dict
        Clips by row; a row whose recording is not kept, or cannot be decoded, is not in it.
    """
    wanted = {}
    for row in dict.fromkeys(rows):
        if path := index.clip(row):
            wanted[row] = path
        if len(wanted) == MAX_CLIPS:
            break
    spans = word_spans(index, list(wanted))
    clips: dict[int, NativeClip] = {}
    sources: dict[tuple[object, tuple[float, float]], tuple[str, str]] = {}
    for path in dict.fromkeys(wanted.values()):
        try:
            audio = Audio.load(path)
        except AudioError:
            continue  # the report can do without it
        samples = levelled(audio.samples)
        for row in (row for row, its in wanted.items() if its == path):
            start_s, end_s = _widened(spans[row], audio.duration_s)
            if start_s >= end_s:
                continue
            if (path, spans[row]) not in sources:
                first, last = (round(at * audio.sample_rate) for at in (start_s, end_s))
                source = data_uri(Audio(samples[first:last], audio.sample_rate))
                sources[path, spans[row]] = (f"native-{row}", source)
            exemplar = index.exemplar(row)
            sound = _widened((exemplar.start_s, exemplar.end_s), audio.duration_s)
            clips[row] = NativeClip(
                *sources[path, spans[row]],
                duration_s=end_s - start_s,
                start_s=max(0.0, sound[0] - start_s),
                end_s=min(end_s, sound[1]) - start_s,
            )
    return clips


def word_spans(index: PhoneIndex, rows: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Start and end in seconds of the words around exemplars, each in its recording, by row.

    An index knows phones and the words they are of, not where words begin: those of the same word
    that follow each other without a gap are taken for one. At most `MAX_WORD_S`, or the exemplar
    alone.
    """
    utterances, _ = index.codes("utterance")
    near = np.flatnonzero(np.isin(utterances, utterances[list(rows)]))
    starts, ends = (index.values(name)[near] for name in ("start_s", "end_s"))
    near, starts, ends = (
        column[np.argsort(starts, kind="stable")] for column in (near, starts, ends)
    )
    words = np.stack([index.codes(name)[0][near] for name in ("corpus", "utterance", "word")])
    spans = {}
    for row in rows:
        place = np.flatnonzero(near == row)[0]
        same = np.flatnonzero((words == words[:, [place]]).all(axis=0))
        begins, stops = starts[same], ends[same]
        first = last = int(np.flatnonzero(same == place)[0])
        while (
            first > 0
            and begins[first] - stops[first - 1] <= _GAP_S
            and stops[last] - begins[first - 1] <= MAX_WORD_S
        ):
            first -= 1
        while (
            last + 1 < len(same)
            and begins[last + 1] - stops[last] <= _GAP_S
            and stops[last + 1] - begins[first] <= MAX_WORD_S
        ):
            last += 1
        spans[row] = (float(begins[first]), float(stops[last]))
    return spans


def levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale to a common peak, so that neither side of a comparison is merely louder."""
    peak = float(np.abs(samples).max(initial=0.0))
    return samples * np.float32(_PEAK / peak) if peak > 0 else samples


def data_uri(audio: Audio) -> str:
    """Encode as OGG Opus, or as 16-bit WAV where libsndfile has no Opus."""
    import soundfile  # here: `nativeear --help` does without it

    opus = "OPUS" in soundfile.available_subtypes("OGG")
    file, subtype = ("OGG", "OPUS") if opus else ("WAV", "PCM_16")
    buffer = io.BytesIO()
    soundfile.write(buffer, audio.samples, audio.sample_rate, format=file, subtype=subtype)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:audio/{file.lower()};base64,{encoded}"


def _widened(span: tuple[float, float], duration_s: float) -> tuple[float, float]:
    return max(0.0, span[0] - MARGIN_S), min(duration_s, span[1] + MARGIN_S)
