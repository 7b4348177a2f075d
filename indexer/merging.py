"""Several indexes become one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from nativeear.indexer.assembly import IndexSettings, Progress, no_progress
from nativeear.indexer.changes import (
    ChangeReport,
    Content,
    opened,
    publish_content,
    refits,
    source_of,
    still_aside,
)
from nativeear.indexer.columns import utterance_names
from nativeear.indexer.one_build import of_one_build
from nativeear.indexes.locking import writing
from nativeear.indexes.phone_index import Name, PhoneIndex
from nativeear.indexes.publishing import refuse_existing
from nativeear.indexes.recipe import joined
from nativeear.speech.errors import InputError


def merge(
    paths: Sequence[Path],
    out: Path,
    *,
    name: str | None = None,
    progress: Progress = no_progress,
) -> ChangeReport:
    """Make one index of several, which stay as they are.

    Aligner, lexicon, rating threshold and format of clips are those of the first. Where one keeps
    no embeddings, all need the same transform, and the decision is the first one's.

    Parameters
    ----------
    name
        Name of the index; the folder's name if None.

    Raises
    ------
    InputError
        If the indexes do not fit together, or hold an utterance of the same name that differs.
    """
    started = time.monotonic()
    refuse_existing(out)
    if len(paths) < 2:
        raise InputError("There is nothing to merge.", fix="Name two indexes or more.")
    indexes = [opened(path) for path in paths]
    for index in indexes[1:]:
        _check_alike(indexes[0], index, same_transform=not refits(indexes))
    sources = [source_of(index, embeddings=refits(indexes)) for index in indexes]
    manifests = [index.manifest for index in indexes]
    settings = IndexSettings.of(
        manifests[0],
        name=name or out.name,
        clips=next((manifest.clips for manifest in manifests if manifest.clips), None),
        command=f"nativeear index merge {' '.join(manifest.name for manifest in manifests)}",
        revision=1,
        history=tuple(
            command for manifest in manifests for command in (*manifest.history, manifest.command)
        ),
        recipe=joined([manifest.recipe for manifest in manifests]),
    )
    held = [set(utterance_names(source.utterances)) for source in sources]
    aside = [
        row
        for index, own in zip(indexes, held, strict=True)
        for row in still_aside(index, set[Name]().union(*held) - own)
    ]
    with writing(out, "nativeear index merge"):
        return publish_content(
            Content(indexes, sources, settings, aside),
            out,
            progress=progress,
            started=started,
            one_build=of_one_build(indexes),
        )


def _check_alike(one: PhoneIndex, other: PhoneIndex, *, same_transform: bool) -> None:
    a, b = one.manifest, other.manifest
    for what, first, second in (
        ("language", a.language, b.language),
        ("encoder", a.encoder.name, b.encoder.name),
        ("encoder's weights", a.encoder.fingerprint, b.encoder.fingerprint),
        ("encoder's arithmetic", a.encoder.dtype, b.encoder.dtype),
        ("pooling", a.pooling, b.pooling),
        ("phone inventory", one.inventory.to_json(), other.inventory.to_json()),
    ):
        if first != second:
            told = f"{first} and {second}" if isinstance(first, str) else "their phones differ"
            raise InputError(
                f"{one.name} and {other.name} cannot be merged: they differ in {what}.",
                cause=f"{told[:1].upper()}{told[1:]}.",
                fix="Build one of them again with the settings of the other.",
            )
    if same_transform and a.transform.fingerprint != b.transform.fingerprint:
        raise InputError(
            f"{one.name} and {other.name} cannot be merged: they search in different spaces.",
            cause="Not both keep the embeddings that a common transform could be fitted on.",
            fix="Build them again without --no-embeddings.",
        )
