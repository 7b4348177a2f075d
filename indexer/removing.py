"""What some speakers said, or some utterances, are removed from an index."""

from __future__ import annotations

import time
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa

from nativeear.indexer.adding import adding_folder
from nativeear.indexer.assembly import Progress, no_progress
from nativeear.indexer.changes import (
    ChangeReport,
    Content,
    changing,
    next_settings,
    publish_content,
    refits,
    source_of,
    still_aside,
)
from nativeear.indexer.columns import names_in, utterance_names
from nativeear.indexer.pooled_utterance import record_name
from nativeear.indexes.phone_index import Name
from nativeear.indexes.publishing import discard
from nativeear.speech.errors import InputError


def remove(
    path: Path,
    *,
    speakers: Sequence[str] = (),
    utterances: Sequence[str] = (),
    keep: int | None = None,
    progress: Progress = no_progress,
) -> ChangeReport:
    """Remove all that some speakers said, and some utterances.

    Parameters
    ----------
    speakers, utterances
        Names and ids, with their corpora (`corpus/name`) where several have one of that name.
    keep
        Older versions that stay, now and after later changes, as many as before if None; what was
        removed is still in these.

    Raises
    ------
    InputError
        If there is no such speaker or utterance, several corpora have one, or nothing would be
        left.
    """
    started = time.monotonic()
    with changing(path, "remove") as index:
        source = source_of(index, embeddings=refits([index]))
        gone_speakers = _named(source.utterances, "speaker", speakers)
        gone_utterances = _named(source.utterances, "utterance", utterances)
        gone = _whose(source.utterances, "speaker", gone_speakers)
        gone |= _whose(source.utterances, "utterance", gone_utterances)
        if not gone:
            raise InputError(
                "Nothing was named that is to be removed.",
                fix="Give --speaker or --utterance.",
            )
        if len(gone) == source.utterances.num_rows:
            raise InputError(
                f"Nothing would be left of {index.name}.",
                cause=f"All its {len(gone)} utterances were named.",
                fix="`nativeear index delete` it if it is no longer wanted.",
            )
        options = [f"--speaker {name}" for name in speakers]
        options += [f"--utterance {name}" for name in utterances]
        recipe = index.manifest.recipe
        if recipe is not None:
            recipe = recipe.without(gone_utterances, gone_speakers)
        aside = still_aside(index, gone)
        report = publish_content(
            Content(
                [index],
                [source.without(gone)],
                next_settings(index, f"remove {index.name} {' '.join(options)}", recipe),
                [row for row in aside if (row.corpus, row.speaker) not in gone_speakers],
            ),
            keep=keep,
            progress=progress,
            started=started,
        )
        for name in gone:  # an addition that was interrupted may have left what it heard of them
            (adding_folder(index.path) / record_name(*name)).unlink(missing_ok=True)
        discard(index.path.parent / f".{index.path.name}.rebuilding")  # so may a rebuild
    return report


def _named(utterances: pa.Table, column: str, names: Sequence[str]) -> set[Name]:
    """Speakers or utterances of these names, which are given with their corpora or without."""
    values = names_in(utterances, column)
    wanted: set[Name] = set()
    for name in names:
        meant = {value for value in values if "/".join(value) == name}
        meant = meant or {value for value in values if value[1] == name}
        if not meant:
            existing = sorted({value for _, value in values})
            near = get_close_matches(name, existing, n=3, cutoff=0.4) or existing[:3]
            others = f", and {len(existing) - len(near)} others" if existing[len(near) :] else ""
            raise InputError(
                f"There is no {column} {name!r} in this index.",
                cause=f"It holds {', '.join(near)}{others}.",
                fix="Name one that is there.",
            )
        if len(meant) > 1:
            raise InputError(
                f"There are several {column}s {name!r}, of several corpora.",
                cause=f"There are {', '.join('/'.join(value) for value in sorted(meant))}.",
                fix="Name them with their corpora, one or all of them.",
            )
        wanted |= meant
    return wanted


def _whose(utterances: pa.Table, column: str, wanted: set[Name]) -> set[Name]:
    """The utterances of some speakers, or some utterances."""
    chosen = [value in wanted for value in names_in(utterances, column)]
    return set(utterance_names(utterances.filter(pa.array(chosen, pa.bool_()))))
