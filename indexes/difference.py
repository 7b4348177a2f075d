"""What one index has that another lacks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nativeear.indexes.index_files import EMBEDDINGS
from nativeear.indexes.manifest import Decision, Manifest
from nativeear.indexes.phone_index import PhoneIndex


@dataclass(frozen=True)
class Pair:
    """One thing in the first index and in the second, as text."""

    first: str
    second: str


@dataclass(frozen=True)
class Only:
    """What is in only one of two indexes, sorted."""

    first: tuple[str, ...]
    second: tuple[str, ...]


@dataclass(frozen=True)
class IndexDifference:
    """What one index has that another lacks."""

    # Their folders.
    first: Path
    second: Path
    settings: dict[str, Pair]  # settings that differ, by name
    # Exemplars of each phone whose number differs, in the first and in the second.
    phones: dict[str, tuple[int, int]]
    # What is in only one of them; speakers and utterances as `corpus/name`.
    corpora: Only
    speakers: Only
    utterances: Only
    decisions: tuple[Decision, Decision] | None  # both decisions where they differ, else None

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        nothing = Only((), ())
        return not (self.settings or self.phones or self.decisions) and all(
            only == nothing for only in (self.corpora, self.speakers, self.utterances)
        )


def difference(first: Path, second: Path) -> IndexDifference:
    """Compare two indexes.

    Raises
    ------
    IndexFormatError
        If one of them is damaged.
    """
    one, other = PhoneIndex.open(first), PhoneIndex.open(second)
    a, b = one.manifest, other.manifest
    settings, others = _settings(a), _settings(b)
    counts = {
        phone: (a.counts.phones.get(phone, 0), b.counts.phones.get(phone, 0))
        for phone in dict.fromkeys((*a.classes, *b.classes))
    }
    return IndexDifference(
        first=first,
        second=second,
        settings={
            name: Pair(settings[name], others[name])
            for name in settings
            if settings[name] != others[name]
        },
        phones={phone: pair for phone, pair in counts.items() if pair[0] != pair[1]},
        corpora=_only({c.name for c in a.corpora}, {c.name for c in b.corpora}),
        speakers=_only(_names(one, "speaker"), _names(other, "speaker")),
        utterances=_only(_names(one, "utterance"), _names(other, "utterance")),
        decisions=None if a.decision == b.decision else (a.decision, b.decision),
    )


def _settings(manifest: Manifest) -> dict[str, str]:
    search = manifest.search
    return {
        "name": manifest.name,
        "language": manifest.language,
        "inventory": " ".join(phone["symbol"] for phone in manifest.inventory.get("phones", ())),
        "encoder": manifest.encoder.name,
        "layer": str(manifest.encoder.layer),
        "encoder fingerprint": manifest.encoder.fingerprint,
        "arithmetic": manifest.encoder.dtype,
        "pooling": manifest.pooling,
        "aligner": manifest.aligner,
        "least rating": str(manifest.min_rating),
        "clips": str(manifest.clips),
        "embeddings": "kept" if EMBEDDINGS in manifest.files else "not kept",
        "transform": manifest.transform.fingerprint,
        "search": "exact" if search is None or search.chosen.codes is None else "cells",
    }


def _names(index: PhoneIndex, column: str) -> set[str]:
    """Values of a column with their corpora, as `corpus/name`."""
    corpus, corpora = index.codes("corpus")
    value, names = index.codes(column)
    pairs = np.unique(corpus * len(names) + value).tolist()
    return {f"{corpora[pair // len(names)]}/{names[pair % len(names)]}" for pair in pairs}


def _only(first: set[str], second: set[str]) -> Only:
    return Only(tuple(sorted(first - second)), tuple(sorted(second - first)))
