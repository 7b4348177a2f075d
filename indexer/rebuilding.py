"""An index built again from what it recorded: one build from all the speech that it holds."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from nativeear.indexer.assembly import Progress, no_progress
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.changes import Sizes, sizes, succession
from nativeear.indexer.thinning import Budget, thin
from nativeear.indexes.encoder_of import name_here
from nativeear.indexes.index_files import EMBEDDINGS, LEXICON, read_manifest
from nativeear.indexes.locking import writing
from nativeear.indexes.manifest import Manifest
from nativeear.indexes.publishing import discard, refuse_existing, seal, staged, take_over_all
from nativeear.indexes.recipe import CorpusSource, Recipe, once
from nativeear.indexes.versions import replace
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.encoders.fitted_head import FITTED
from nativeear.speech.errors import CorpusError, EncoderError, IndexFormatError


@dataclass(frozen=True)
class RebuildRequest:
    """What to build again."""

    index: Path  # folder of the index
    # Folder to publish, which must not exist; a new version of the index itself if None.
    out: Path | None = None
    # Where corpora lie now, by the names that the index gives them.
    places: Mapping[str, str] | None = None
    # Name or folder of the index's encoder, where it is not found by the name in the manifest.
    encoder: str | None = None
    workers: int = 1  # as in `indexer.build.BuildRequest`
    keep: int | None = None  # older versions that stay; as many as before if None


@dataclass(frozen=True)
class RebuildReport(Sizes):
    """What came of it."""

    set_aside: tuple[tuple[str, str], ...]  # ids of utterances that could not be used, with reasons
    # Files whose bytes are not those of before; none where it is the same index.
    different: tuple[str, ...]
    # Versions of what it depends on that differ, before and now; empty where one was not there.
    libraries: dict[str, tuple[str, str]]
    dropped: tuple[int, ...]  # numbers of older versions that are kept no longer
    seconds: float  # time it took


def rebuild(request: RebuildRequest, progress: Progress = no_progress) -> RebuildReport:
    """Build an index again: all that it was built from and that was added, less what was removed.

    An interrupted one goes on where it was.

    Raises
    ------
    NativeEarError
        If it is not recorded how the index was built, or a corpus or the encoder is not there.
    """
    started = time.monotonic()
    path = request.index.resolve()
    before = read_manifest(path)
    sources = _sources(before, request.places or {})
    if request.out is not None:
        refuse_existing(request.out)
    work = path.parent / f".{path.name}.rebuilding"
    out = request.out or work / path.name
    encoder = _encoder_of(before, request.encoder)
    with writing(path, f"nativeear index rebuild {path.name}"):
        if request.out is None:
            discard(out)  # of one that was killed
        recipe = cast("Recipe", before.recipe)
        again = _build(path, before, sources, request.workers)
        built = build_index(dataclasses.replace(again, out=out, encoder=encoder), progress)
        if recipe.thinned:
            budget = None if recipe.budget is None else Budget(recipe.budget)
            thin(out, budget, keep=0, remembered=False, progress=progress)
        made = read_manifest(out)
        dropped: tuple[int, ...] = ()
        if request.out is None:
            made, dropped = _take_the_place(out, path, before, made, request.keep)
            shutil.rmtree(work)
    return RebuildReport(
        **vars(sizes(request.out or path, made, [before])),
        set_aside=built.set_aside,
        different=tuple(_differing(before.files, made.files)),
        libraries={
            name: (before.libraries.get(name, ""), made.libraries.get(name, ""))
            for name in _differing(before.libraries, made.libraries)
        },
        dropped=dropped,
        seconds=time.monotonic() - started,
    )


def _differing(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Names of what is not the same in both, sorted."""
    return [n for n in sorted(before.keys() | now.keys()) if before.get(n) != now.get(n)]


def _take_the_place(
    out: Path, path: Path, before: Manifest, made: Manifest, keep: int | None
) -> tuple[Manifest, tuple[int, ...]]:
    """Make what was built the next version of the index."""
    changed = succession(path, before, f"rebuild {before.name}")
    with staged(path) as stage:
        unchanged = take_over_all(out, stage, made, without=())
        written = seal(stage, made.model_copy(update=changed), unchanged)
        return written, replace(stage, path, keep)


def _encoder_of(manifest: Manifest, given: str | None) -> str:
    """What opens the encoder of an index on this machine, and no other one."""
    identity = manifest.encoder
    layer, dtype = identity.layer, identity.dtype
    name = name_here(identity, given)
    found = load_encoder(name, layer=layer, dtype=dtype).fingerprint
    wanted = identity.ears[0].fingerprint if _fits_head(manifest) else identity.fingerprint
    if found != wanted:
        raise EncoderError(
            f"The index {manifest.name} was built with another encoder than {name}.",
            cause=f"It needs {identity.name} ({wanted[:19]}…), not {found[:19]}….",
            fix="Give --encoder, or build another index with `nativeear index build`.",
        )
    return name


def _fits_head(manifest: Manifest) -> bool:
    """Whether the phone head of an index was fitted on its own speech, as it will be again."""
    return [ear.name for ear in manifest.encoder.ears[1:]] == [FITTED]


def _sources(manifest: Manifest, places: Mapping[str, str]) -> tuple[CorpusSource, ...]:
    """The corpora as they were recorded, at the places where they lie now."""
    if manifest.recipe is None:
        raise IndexFormatError(
            f"It is not recorded how {manifest.name} can be built again.",
            cause="An earlier release built it, or it was merged from thinned indexes or such.",
            fix="Build it with `nativeear index build`; `nativeear index show` tells its commands.",
        )
    names = [source.name for source in manifest.recipe.corpora]
    for name in places:
        if name not in names:
            raise CorpusError(
                f"{manifest.name} was not built from a corpus {name!r}.",
                cause=f"Its corpora are {', '.join(names)}.",
                fix="Name one of these, as in --corpus NAME=PATH.",
            )
    found = []
    for source in manifest.recipe.corpora:
        place = places.get(source.name, source.place)
        if place.startswith("~"):
            place = str(Path(place).expanduser())
        here = "://" in place or source.reader == "asterisk" or Path(place).exists()
        if not place or not here:
            raise CorpusError(
                f"The corpus {source.name} is not where it was.",
                cause=f"There is nothing at {place}." if place else "It was not kept.",
                fix=f"Say where it lies with --corpus {source.name}=PATH.",
            )
        found.append(source.model_copy(update={"place": place}))
    return once(found)


def _build(
    path: Path, before: Manifest, sources: tuple[CorpusSource, ...], workers: int
) -> BuildRequest:
    """The build that was recorded; `encoder` is what opens it here, `out` the index itself."""
    recipe = cast("Recipe", before.recipe)
    clips_of = recipe.clips_of
    return BuildRequest(
        corpora=sources,
        language=before.language,
        out=path,
        name=before.name,
        aligner=recipe.aligner,
        head=FITTED if _fits_head(before) else None,
        layer=before.encoder.layer,
        pooling=before.pooling,
        workers=workers,
        clips=before.clips,
        clips_of=None if clips_of is None else frozenset(clips_of),
        resume=True,
        min_rating=before.min_rating,
        exclude=frozenset(recipe.excluded),
        exclude_speakers=frozenset(recipe.excluded_speakers),
        g2p=before.g2p,
        lexicon=path / LEXICON if LEXICON in before.files else None,
        embeddings=EMBEDDINGS in before.files,
        dtype=before.encoder.dtype,
    )
