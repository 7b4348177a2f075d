"""The recordings that an index keeps for playback: one file per utterance, and no file for two."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable

from nativeear.indexes.manifest import Manifest

CLIPS = "audio"

Utterance = tuple[str, str]
"""Corpus and id."""


def file_stem(corpus: str, utterance: str) -> str:
    """A name of 32 letters and digits for an utterance, which no other one has.

    Corpora and ids may hold anything and be of any length; file names may not, and many disks take
    `A` and `a` for one.
    """
    identity = json.dumps([corpus, utterance])
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def clip_name(corpus: str, utterance: str, suffix: str) -> str:
    """Relative path of an utterance's recording."""
    return f"{CLIPS}/{file_stem(corpus, utterance)}.{suffix}"


def clips_of(manifest: Manifest, utterances: Iterable[Utterance]) -> dict[Utterance, str]:
    """Relative paths of the recordings that an index keeps of its utterances.

    Earlier releases named them by corpus and id as they are written, and gave some utterances the
    same file. Nobody knows whose voice is in such a one: it belongs to none of them.
    """
    suffix = manifest.clips
    if suffix is None:
        return {}
    found: dict[Utterance, str] = {}
    earlier: dict[str, list[Utterance]] = defaultdict(list)
    for corpus, utterance in dict.fromkeys(utterances):
        name = clip_name(corpus, utterance, suffix)
        if name in manifest.files:
            found[corpus, utterance] = name
        else:
            earlier[_earlier_name(corpus, utterance, suffix)].append((corpus, utterance))
    for name, claimants in earlier.items():
        if name in manifest.files and len(claimants) == 1:
            found[claimants[0]] = name
    return found


def _earlier_name(corpus: str, utterance: str, suffix: str) -> str:
    return f"{CLIPS}/{corpus}--{utterance.replace('/', '--')}.{suffix}"
