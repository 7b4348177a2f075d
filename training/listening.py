"""Features of every phone of a corpus, kept on disk: what calibrations are fitted and judged on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

import nativeear
from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.indexer.utterances import recording_of
from nativeear.indexes.phone_index import Name
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.fusion.features import FeatureTable
from nativeear.speech.audio import Audio
from nativeear.speech.errors import NativeEarError

Own = Literal["speaker", "utterance"]
Wanted = Callable[[Utterance], bool]


@dataclass(frozen=True, eq=False)
class HeardCorpus:
    """N canonical phones of a corpus.

    Attributes
    ----------
    features
        Of all of them.
    phone, word, utterance, speaker
        str `[N]`; `word` numbers the words of an utterance.
    deleted
        bool `[N]`, phones that retrieval did not find.
    expert
        float64 `[N]`, the experts' mean score 0–2; NaN where there is none.
    """

    features: FeatureTable
    phone: NDArray[np.str_]
    word: NDArray[np.int64]
    utterance: NDArray[np.str_]
    speaker: NDArray[np.str_]
    deleted: NDArray[np.bool_]
    expert: NDArray[np.float64]

    def save(self, path: Path) -> None:
        """Write to one `.npz` file."""
        with path.open("wb") as stream:
            np.savez_compressed(
                stream,
                names=np.array(self.features.names),
                values=self.features.values,
                **{name: getattr(self, name) for name in _COLUMNS},
            )

    @classmethod
    def load(cls, path: Path) -> HeardCorpus:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            table = FeatureTable(tuple(arrays["names"].tolist()), arrays["values"])
            return cls(table, **{name: arrays[name] for name in _COLUMNS})


_COLUMNS = ("phone", "word", "utterance", "speaker", "deleted", "expert")


def listen(
    corpus: str,
    *,
    index: Path,
    encoder: str | None = None,
    wanted: Wanted = lambda _: True,
    treat: Callable[[Audio], Audio] | None = None,
    own: Own = "speaker",
    silenced: frozenset[Name] = frozenset(),
    workers: int = 1,
) -> HeardCorpus:
    """Hear a corpus against an index, whose own exemplars of the same speech do not answer.

    Parameters
    ----------
    corpus
        Folder or short form.
    index, encoder
        The index, and its encoder where that is a folder.
    wanted
        Which utterances.
    treat
        What is done to each recording before it is heard.
    own
        Whose exemplars do not answer: the speaker's, or only the utterance's.
    silenced
        Speakers of the index, by corpus and name, whose exemplars do not answer either.
    workers
        Processes; one if `treat` is given.
    """
    read = read_corpus(corpus, language="en-US")
    chosen = [(u, _exclusion(read.name, u, own, silenced)) for u in read.utterances if wanted(u)]
    if workers > 1 and treat is None:
        with ProcessPoolExecutor(workers) as executor:
            jobs = [(str(index), encoder, exclusion, u) for u, exclusion in chosen]
            parts = list(executor.map(_hear_by_name, jobs))
    else:
        parts = [_hear(str(index), encoder, exclusion, u, treat) for u, exclusion in chosen]
    return join([part for part in parts if part is not None])


def heard_once(path: Path, listening: Callable[[], HeardCorpus]) -> HeardCorpus:
    """What is kept at `path`; heard now, and kept, if nothing is."""
    if not path.is_file():
        listening().save(path)
    return HeardCorpus.load(path)


def join(parts: Sequence[HeardCorpus]) -> HeardCorpus:
    """Several as one."""
    names = parts[0].features.names
    return HeardCorpus(
        FeatureTable(names, np.concatenate([part.features.values for part in parts])),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS},
    )


def _exclusion(corpus: str, utterance: Utterance, own: Own, silenced: frozenset[Name]) -> Exclusion:
    if own == "speaker":
        return Exclusion(speakers=silenced | {(corpus, utterance.speaker)})
    return Exclusion(utterances=frozenset([(corpus, utterance.id)]), speakers=silenced)


def _hear_by_name(
    job: tuple[str, str | None, Exclusion, Utterance],
) -> HeardCorpus | None:
    return _hear(*job, None)


@cache
def _assessor(index: str, encoder: str | None) -> nativeear.Assessor:
    return nativeear.load(index, encoder=encoder)


def _hear(
    index: str,
    encoder: str | None,
    exclusion: Exclusion,
    utterance: Utterance,
    treat: Callable[[Audio], Audio] | None,
) -> HeardCorpus | None:
    assessor = _assessor(index, encoder)
    audio = recording_of(utterance)
    if treat is not None:
        audio = treat(audio)
    try:
        pronunciation = assessor.pronounce(utterance.text, utterance.phones)
        evidence = assessor.gather_evidence(audio, pronunciation, exclusion)
    except NativeEarError as error:
        print(f"{utterance.id}: {error.message}")
        return None
    n = len(evidence.phones)
    ratings = utterance.ratings or (np.nan,) * n
    return HeardCorpus(
        evidence.features,
        np.array([phone.phone for phone in evidence.phones]),
        np.array([phone.word_index for phone in evidence.phones]),
        np.full(n, utterance.id),
        np.full(n, utterance.speaker),
        evidence.deleted,
        np.array(ratings, dtype=np.float64),
    )
