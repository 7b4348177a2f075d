"""`nativeear index`: build, show, compare and change indexes."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from nativeear.service.commands.audit import audit
from nativeear.service.commands.guard import SOME_FAILED, GuardedCommand, print_json
from nativeear.service.commands.moving import copy, delete, rename
from nativeear.service.commands.options import (
    AsJson,
    Corpora,
    CorpusLanguage,
    Index,
    Layer,
    Lexicon,
    Licence,
    PronunciationSource,
    Reader,
    Workers,
)
from nativeear.service.commands.rebuild import rebuild
from nativeear.service.counts import counted
from nativeear.speech.errors import IndexFormatError, InputError

if TYPE_CHECKING:
    from nativeear.indexer.build import BuildReport
    from nativeear.indexer.changes import ChangeReport
    from nativeear.indexer.optimising import OptimiseReport
    from nativeear.indexer.thinning import Budget, ThinReport
    from nativeear.indexes.difference import IndexDifference, Only
    from nativeear.indexes.manifest import Clips
    from nativeear.indexes.verification import VerifyReport
    from nativeear.speech.encoders.catalogue import Arithmetic
    from nativeear.speech.pooling import Pooling

app = typer.Typer(
    name="index",
    help="Build, show, compare and change indexes of native speech.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
KeepOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Older versions that stay, for `index restore`, now and after later changes; 1 where "
        "nothing was said.",
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        metavar="N|SIZE",
        help="Exemplars that may stay (4000), or the size of what is kept of them (20MB); the "
        "rest stands for those that go.",
    ),
]
MAX_REASONS = 10
MAX_NAMES = 8
app.command(cls=GuardedCommand)(audit)


@app.command(cls=GuardedCommand)
def build(
    *,
    corpus: Corpora,
    lang: CorpusLanguage,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder to make; with --name it may be left to NativeEar."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the index; the folder's by default.")
    ] = None,
    aligner: Annotated[
        str, typer.Option(help="auto, textgrid, ctc, flatstart, pocketsphinx or mfa.")
    ] = "auto",
    encoder: Annotated[
        str, typer.Option(metavar="NAME|PATH|HUB_ID", help="See `nativeear encoders list`.")
    ] = "default",
    layer: Layer = None,
    dtype: Annotated[
        str,
        typer.Option(
            metavar="float32|bfloat16",
            help="Arithmetic of a neural encoder; learners are then heard in the same.",
        ),
    ] = "float32",
    g2p: PronunciationSource = None,
    lexicon: Lexicon = None,
    pooling: Annotated[
        str, typer.Option(help="What stands for a phone: middle-third or middle-frame.")
    ] = "middle-third",
    reader: Reader = "auto",
    clips: Annotated[
        str | None, typer.Option(help="Keep the recordings for playback: flac or opus.")
    ] = None,
    licence: Licence = None,
    min_rating: Annotated[
        float | None,
        typer.Option(help="Leave out phones that the corpus's raters scored below this."),
    ] = None,
    workers: Workers = 1,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Ray cluster that works instead: auto, HOST:PORT, ray://HOST:PORT or local.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted build.")] = (
        False
    ),
    embeddings: Annotated[
        bool,
        typer.Option(
            help="Keep what the index was fitted on, so that it is refitted when speech is added "
            "or removed; without it the index is smaller."
        ),
    ] = True,
    budget: BudgetOption = None,
    as_json: AsJson = False,
) -> None:
    """Build an index from native speech."""
    if out is None and name is None:
        raise InputError("The index has no place to go.", fix="Give --out DIR, or --name NAME.")

    from nativeear.indexer.build import BuildRequest, build_index
    from nativeear.indexer.thinning import thin as thin_index
    from nativeear.indexes.catalogue import home
    from nativeear.indexes.manifest import Clips
    from nativeear.service.commands.progress import ProgressReport
    from nativeear.speech.encoders.catalogue import Arithmetic
    from nativeear.speech.pooling import Pooling

    request = BuildRequest(
        corpora=tuple(corpus),
        language=lang,
        out=out if out is not None else home() / _folder_name(name or ""),
        name=name,
        aligner=aligner,
        encoder=encoder,
        layer=layer,
        dtype=cast("Arithmetic", _one_of("--dtype", dtype, get_args(Arithmetic))),
        g2p=g2p,
        lexicon=lexicon,
        pooling=cast("Pooling", _one_of("--pooling", pooling, get_args(Pooling))),
        reader=reader,
        workers=workers,
        ray=ray,
        clips=cast("Clips | None", clips and _one_of("--clips", clips, get_args(Clips))),
        resume=resume,
        licence=licence,
        min_rating=min_rating,
        embeddings=embeddings,
    )
    size = None if budget is None else _budget(budget)
    with ProgressReport() as progress:
        report = build_index(request, progress)
        thinned = size and thin_index(
            report.path, size, keep=0, remembered=False, progress=progress
        )
    if as_json:
        thin = thinned and {**asdict(thinned), "change": _change_as_json(thinned.change)}
        print_json({**asdict(report), "path": str(report.path), "thinning": thin})
        return
    _print_build(report)
    if thinned:
        _print_thinning(thinned)


@app.command(name="list", cls=GuardedCommand)
def list_(as_json: AsJson = False) -> None:
    """List the indexes that can be named."""
    from nativeear.indexes.catalogue import home, list_indexes

    summaries = list_indexes()
    if as_json:
        print_json([{**asdict(summary), "path": str(summary.path)} for summary in summaries])
        return
    if not summaries:
        print(f"There is no index in {home()}. Build one with `nativeear index build`.")
        return
    from nativeear.service.tables import Column, Listing, console

    figures = tuple(
        Column(title, "number") for title in ("phones", "silences", "speakers", "minutes")
    )
    table = Listing(
        (Column("name", "name"), Column("state"), Column("language"), *figures, Column("encoder"))
    )
    for summary in summaries:
        counted = (
            f"{summary.exemplars - summary.silences:,}",
            f"{summary.silences:,}",
            f"{summary.speakers:,}",
            f"{summary.minutes:.1f}",
        )
        note = f"damaged: {summary.problem}" if summary.problem else "shipped" * summary.shipped
        table.add(
            summary.name,
            note,
            summary.language,
            *(("",) * len(counted) if summary.problem else counted),
            summary.encoder,
        )
    console().print(table)


@app.command(cls=GuardedCommand)
def show(
    name: Index,
    *,
    set_aside: Annotated[
        bool,
        typer.Option("--set-aside", help="Which utterances could not be used, and why."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what an index holds and how it was made."""
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.index_files import read_manifest

    path = find_index(name)
    manifest = read_manifest(path)
    if set_aside:
        from nativeear.indexes.set_aside import set_aside_of

        rows = set_aside_of(path, manifest)
        if as_json:
            print_json({"path": str(path), "set_aside": [asdict(row) for row in rows]})
            return
        for row in rows:
            print(f"{row.corpus}/{row.utterance}: {row.reason}")
        print(f"Set aside: {len(rows)}", file=sys.stderr)
        return
    if as_json:
        print_json({"path": str(path), **json.loads(manifest.model_dump_json())})
        return
    from nativeear.service.index_summary import print_manifest
    from nativeear.service.tables import console

    print_manifest(path, manifest, console())


@app.command(cls=GuardedCommand)
def verify(name: Index, as_json: AsJson = False) -> None:
    """Check every byte of an index; exit 1 if it is damaged."""
    from nativeear.indexes.catalogue import find_index

    report = _verified(find_index(name))
    if as_json:
        files = [
            {"name": check.name, "ok": check.ok, "problem": check.problem} for check in report.files
        ]
        print_json({"path": str(report.path), "ok": report.ok, "files": files})
    else:
        for check in report.files:
            print(f"{'whole  ' if check.ok else 'DAMAGED'}  {check.name}  {check.problem}".rstrip())
        if not report.ok:
            print(f"{report.path} is damaged: build it again.", file=sys.stderr)
    if not report.ok:
        raise typer.Exit(SOME_FAILED)


@app.command(cls=GuardedCommand)
def add(
    name: Index,
    *,
    corpus: Corpora,
    reader: Reader = "auto",
    licence: Licence = None,
    encoder: Annotated[
        str | None,
        typer.Option(metavar="NAME|PATH", help="Where the index's encoder lies, if not known."),
    ] = None,
    workers: Workers = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted addition.")
    ] = False,
    keep: KeepOption = None,
    as_json: AsJson = False,
) -> None:
    """Add native speech to an index, with the settings that it was built with."""
    from nativeear.indexer.adding import AddRequest
    from nativeear.indexer.adding import add as add_to
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    request = AddRequest(
        index=find_index(name),
        corpora=tuple(corpus),
        reader=reader,
        licence=licence,
        workers=workers,
        resume=resume,
        encoder=encoder,
        keep=keep,
    )
    with ProgressReport() as progress:
        report = add_to(request, progress)
    _print_change(report, as_json)


@app.command(cls=GuardedCommand)
def remove(
    name: Index,
    *,
    speaker: Annotated[
        list[str] | None, typer.Option(help="Remove all that this speaker said; repeatable.")
    ] = None,
    utterance: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Remove this utterance; repeatable.")
    ] = None,
    keep: KeepOption = None,
    as_json: AsJson = False,
) -> None:
    """Remove speakers or utterances from an index; older versions still hold them."""
    from nativeear.indexer.removing import remove as remove_from
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    with ProgressReport() as progress:
        report = remove_from(
            find_index(name),
            speakers=tuple(speaker or ()),
            utterances=tuple(utterance or ()),
            keep=keep,
            progress=progress,
        )
    _print_change(report, as_json)


@app.command(cls=GuardedCommand)
def thin(
    name: Index,
    *,
    budget: BudgetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Leave the index as it is, and make the thin one here."),
    ] = None,
    keep: KeepOption = None,
    as_json: AsJson = False,
) -> None:
    """Drop exemplars that seem mislabelled, and near-duplicates down to a budget."""
    from nativeear.indexer.thinning import thin as thin_index
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    size = None if budget is None else _budget(budget)
    with ProgressReport() as progress:
        report = thin_index(find_index(name), size, out=out, keep=keep, progress=progress)
    if as_json:
        print_json({**asdict(report), "change": _change_as_json(report.change)})
    else:
        _print_thinning(report)


@app.command(cls=GuardedCommand)
def optimize(
    name: Index,
    *,
    recall: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of the nearest exemplars that has to be found."),
    ] = 0.99,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="What a search may hold in memory, as in 20MB.")
    ] = "2GB",
    keep: KeepOption = None,
    as_json: AsJson = False,
) -> None:
    """Measure ways to search an index, and have it searched by the fastest that will do."""
    from nativeear.indexer.optimising import optimise
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    size = _bytes(memory)
    if size is None:
        raise InputError(f"--memory cannot be {memory!r}.", fix="Give a size, as in 20MB.")
    with ProgressReport() as progress:
        report = optimise(
            find_index(name), recall=recall, memory_bytes=size, keep=keep, progress=progress
        )
    if as_json:
        search = json.loads(report.search.model_dump_json())
        print_json({**asdict(report), "path": str(report.path), "search": search})
    else:
        _print_optimising(report)


@app.command(cls=GuardedCommand)
def merge(
    names: Annotated[list[str], typer.Argument(metavar="NAME|DIR...", help="Two or more.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder to make; with --name it may be left to NativeEar."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the index; the folder's by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make one index of several, which stay as they are."""
    if out is None and name is None:
        raise InputError("The index has no place to go.", fix="Give --out DIR, or --name NAME.")

    from nativeear.indexer.merging import merge as merge_all
    from nativeear.indexes.catalogue import find_index, home
    from nativeear.service.commands.progress import ProgressReport

    with ProgressReport() as progress:
        report = merge_all(
            [find_index(part) for part in names],
            out if out is not None else home() / _folder_name(name or ""),
            name=name,
            progress=progress,
        )
    _print_change(report, as_json, parts=len(names))


@app.command(cls=GuardedCommand)
def diff(
    first: Index,
    second: Index,
    as_json: AsJson = False,
) -> None:
    """Show what one index has that another lacks."""
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.difference import difference

    found = difference(find_index(first), find_index(second))
    if as_json:
        decisions = found.decisions and [json.loads(d.model_dump_json()) for d in found.decisions]
        print_json(
            {
                **asdict(found),
                "first": str(found.first),
                "second": str(found.second),
                "decisions": decisions,
                "same": found.same,
            }
        )
    else:
        _print_difference(found)


@app.command(cls=GuardedCommand)
def versions(name: Index, as_json: AsJson = False) -> None:
    """List the versions of an index that are kept."""
    from nativeear.indexes.versions import versions as versions_of

    found = versions_of(_folder_of(name))
    if as_json:
        print_json([{**asdict(version), "path": str(version.path)} for version in found])
        return
    for version in found:
        mark = "*" if version.current else " "
        print(
            f"{mark} {version.revision:>3}  {counted(version.exemplars, version.silences)}  "
            f"{version.utterances:,} utterances  {version.command}"
        )


@app.command(cls=GuardedCommand)
def restore(
    name: Index,
    *,
    version: Annotated[
        int | None, typer.Option(help="Which one; the newest that is kept by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring an older version of an index back; the current one is kept in its place."""
    from nativeear.indexes.locking import writing
    from nativeear.indexes.versions import restore as restore_version

    path = _folder_of(name)
    with writing(path, f"nativeear index restore {path.name}"):
        restored = restore_version(path, version)
    if as_json:
        print_json({**asdict(restored), "path": str(restored.path)})
    else:
        print(f"{restored.path} is version {restored.revision} again: {restored.command}")


for command in (rebuild, rename, copy, delete):
    app.command(cls=GuardedCommand)(command)


def _folder_of(name: str) -> Path:
    """Folder of an index, or the place where it lies if only kept versions are whole."""
    from nativeear.indexes.catalogue import find_index, home
    from nativeear.indexes.versions import versions as versions_of

    try:
        return find_index(name).resolve()
    except InputError:
        for place in (home() / name, Path(name).expanduser()):
            if name and versions_of(place):
                return place
        raise


def _budget(written: str) -> Budget:
    from nativeear.indexer.thinning import Budget

    size = _bytes(written)
    if size is not None:
        return Budget(size, "bytes")
    if re.fullmatch(r"\d+", written.strip()):
        return Budget(int(written))
    raise InputError(
        f"--budget cannot be {written!r}.",
        fix="Give a number of exemplars, as in 4000, or a size, as in 20MB.",
    )


def _bytes(written: str) -> int | None:
    """A size such as 20MB in bytes; None if it is no size."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMG]?B)", written.strip())
    if found is None:
        return None
    return int(float(found[1]) * {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}[found[2]])


def _print_thinning(report: ThinReport) -> None:
    _print_change(report.change, as_json=False)
    print(
        f"Gone: {len(report.outliers)} that seemed mislabelled, and {report.thinned:,} for which "
        "others stand."
    )
    for outlier in report.outliers[:MAX_REASONS]:
        print(
            f"  {outlier.phone} in {outlier.word!r} of {outlier.utterance}, at "
            f"{outlier.start_s:.2f} s: nearer to {outlier.heard}"
        )
    if len(report.outliers) > MAX_REASONS:
        print(f"  … and {len(report.outliers) - MAX_REASONS} more: see --json")


def _change_as_json(report: ChangeReport) -> dict[str, object]:
    return {**asdict(report), "path": str(report.path)}


def _print_change(report: ChangeReport, as_json: bool, parts: int = 0) -> None:
    """Tell what came of a change, or of merging `parts` indexes."""
    from nativeear.scoring.doubts import usefulness

    if as_json:
        print_json(_change_as_json(report))
        return
    now = f"{counted(report.exemplars, report.silences)} from {report.utterances:,} utterances"
    before = (
        f"{counted(report.exemplars_before, report.silences_before)} from "
        f"{report.utterances_before:,}"
    )
    print(
        f"Merged {parts} indexes into {report.path}: {now} (in the parts: {before}), in "
        f"{report.seconds:.0f} s."
        if parts
        else f"{report.path} is now version {report.revision}: {now} (before: {before}), in "
        f"{report.seconds:.0f} s."
    )
    if report.refitted:
        print(
            "Transform and decision were fitted anew: of left-out native phones, "
            f"{report.native_accuracy:.1%} are nearest to their own. "
            f"{usefulness(report.native_accuracy)}"
        )
    else:
        print("Transform and decision stay: the index keeps no embeddings to fit them on.")
    if report.cells_left:
        print("It is searched exactly again: run `nativeear index optimize` for new cells.")
    for sentence in report.one_build:
        print(f"One build from all of the speech would differ. {sentence}")
    _print_dropped(report.dropped)
    _print_set_aside(report.path, report.set_aside)


def _print_dropped(dropped: tuple[int, ...]) -> None:
    """Say which older versions a change removed."""
    if dropped:
        print(f"No longer kept, see --keep: version {', '.join(map(str, dropped))}.")


def _print_optimising(report: OptimiseReport) -> None:
    from nativeear.service.search_summary import print_search
    from nativeear.service.tables import console

    print_search(report.search, console())
    print(f"{report.path} is now version {report.revision}, in {report.seconds:.0f} s.")
    _print_dropped(report.dropped)


def _print_difference(found: IndexDifference) -> None:
    if found.same:
        print("They hold the same speech, with the same settings.")
    for setting, pair in found.settings.items():
        print(f"{setting}: {pair.first} | {pair.second}")
    for kind, only in (
        ("corpora", found.corpora),
        ("speakers", found.speakers),
        ("utterances", found.utterances),
    ):
        _print_only(kind, found, only)
    for phone, (first, second) in found.phones.items():
        print(f"{phone:>4}  {first:>7,} | {second:>7,}  {second - first:+,}")
    if found.decisions:
        first_accuracy, second_accuracy = (d.native_accuracy for d in found.decisions)
        print(
            f"left-out natives nearest to their own: {first_accuracy:.1%} | {second_accuracy:.1%}"
        )


def _print_only(kind: str, found: IndexDifference, only: Only) -> None:
    for path, names in ((found.first, only.first), (found.second, only.second)):
        if names:
            more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
            print(f"{len(names)} {kind} only in {path}: {', '.join(names[:MAX_NAMES])}{more}")


def _verified(path: Path) -> VerifyReport:
    """Verify; a manifest that is there and cannot be read is damage like any other."""
    from nativeear.indexes.publishing import MANIFEST
    from nativeear.indexes.verification import FileCheck, VerifyReport, verify

    try:
        return verify(path)
    except IndexFormatError as error:
        if not (path / MANIFEST).exists():
            raise
        problem = f"{error.message} {error.cause}".strip()
        return VerifyReport(path, (FileCheck(MANIFEST, problem),))


def _print_build(report: BuildReport) -> None:
    from nativeear.scoring.doubts import usefulness

    print(
        f"Built {report.path}: {counted(report.exemplars, report.silences)} from "
        f"{report.utterances:,} utterances, "
        f"{report.audio_s / 60:.1f} minutes of speech, in {report.seconds:.0f} s."
    )
    print(
        f"Of left-out native phones, {report.native_accuracy:.1%} are nearest to their own. "
        f"{usefulness(report.native_accuracy)}"
    )
    print(f"Of its {report.inventory_phones} phones, {report.judged_phones} can be judged.")
    _print_set_aside(report.path, report.set_aside)


def _print_set_aside(path: Path, set_aside: tuple[tuple[str, str], ...]) -> None:
    if set_aside:
        print(f"Set aside: {len(set_aside)}")
    for id, reason in set_aside[:MAX_REASONS]:
        print(f"  {id}: {reason}")
    if len(set_aside) > MAX_REASONS:
        more = len(set_aside) - MAX_REASONS
        print(f"  … and {more} more: see `nativeear index show {path} --set-aside`")


def _folder_name(name: str) -> str:
    if Path(name).name != name or name in {"", ".", ".."}:
        raise InputError(
            f"{name!r} cannot be the name of a folder.", fix="Give --out DIR beside this --name."
        )
    return name


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InputError(
            f"{option} cannot be {value!r}.", fix=f"Choose one of {', '.join(allowed)}."
        )
    return value
