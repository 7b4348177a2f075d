"""`nativeear index build` and `rebuild`: an index made from native speech, or again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from nativeear.service.commands.guard import print_json
from nativeear.service.commands.index.options import (
    BudgetOption,
    NewFolder,
    NewName,
    budget_of,
    new_folder,
)
from nativeear.service.commands.index.printing import (
    print_dropped,
    print_set_aside,
    print_thinning,
)
from nativeear.service.commands.options import (
    AsJson,
    Corpora,
    CorpusLanguage,
    EncoderOfIndex,
    Index,
    Lexicon,
    Licence,
    PronunciationSource,
    Reader,
    Workers,
)
from nativeear.service.index_size import size_in_words
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.indexer.build import BuildReport
    from nativeear.indexer.rebuilding import RebuildReport
    from nativeear.indexes.manifest import Clips
    from nativeear.speech.encoders.catalogue import Arithmetic
    from nativeear.speech.pooling import Pooling


def build(
    *,
    corpus: Corpora,
    lang: CorpusLanguage,
    out: NewFolder = None,
    name: NewName = None,
    aligner: Annotated[
        str, typer.Option(help="auto, textgrid, ctc, flatstart, pocketsphinx or mfa.")
    ] = "auto",
    encoder: Annotated[
        str, typer.Option(metavar="NAME|PATH|HUB_ID", help="See `nativeear encoders list`.")
    ] = "default",
    head: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH|HUB_ID|fitted",
            help="Another encoder whose phone posteriors are taken, or `fitted`: a head fitted on "
            "this speech, for an encoder that has none.",
        ),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto",
            help="Layer of a neural encoder, its own best by default; auto tries them on natives "
            "who are left out.",
        ),
    ] = None,
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
    from nativeear.indexer.build import BuildRequest, build_index
    from nativeear.indexer.thinning import thin as thin_index
    from nativeear.indexes.manifest import Clips
    from nativeear.service.commands.progress import ProgressReport
    from nativeear.speech.encoders.catalogue import Arithmetic
    from nativeear.speech.pooling import Pooling

    request = BuildRequest(
        corpora=tuple(corpus),
        language=lang,
        out=new_folder(out, name),
        name=name,
        aligner=aligner,
        encoder=encoder,
        head=head,
        layer=_layer(layer),
        choose_layer=layer == "auto",
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
    size = budget_of(budget)
    with ProgressReport() as progress:
        report = build_index(request, progress)
        thinned = size and thin_index(
            report.path, size, keep=0, remembered=False, progress=progress
        )
    if as_json:
        print_json({**asdict(report), "thinning": thinned})
        return
    _print_build(report)
    if thinned:
        print_thinning(thinned)


def rebuild(
    name: Index,
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Leave the index as it is, and build the other one here."),
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="Where one of its corpora lies by now; repeatable."),
    ] = None,
    encoder: EncoderOfIndex = None,
    workers: Workers = 1,
    keep: Annotated[
        int | None, typer.Option(min=0, help="Older versions that stay, as for `index add`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build an index again as it was recorded, in one build from all that it holds."""
    from nativeear.indexer.rebuilding import RebuildRequest
    from nativeear.indexer.rebuilding import rebuild as rebuild_index
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    places = {}
    for given in corpus or ():
        named, _, place = given.partition("=")
        if not place:
            raise InputError(f"--corpus cannot be {given!r} here.", fix="Give --corpus NAME=PATH.")
        places[named] = place
    request = RebuildRequest(
        find_index(name), out=out, places=places, encoder=encoder, workers=workers, keep=keep
    )
    with ProgressReport() as progress:
        report = rebuild_index(request, progress)
    if as_json:
        print_json(report)
    else:
        _print_rebuild(report)


def _print_build(report: BuildReport) -> None:
    from nativeear.scoring.reliability import usefulness

    print(
        f"Built {report.path}: {size_in_words(report.exemplars, report.silences)} from "
        f"{report.utterances:,} utterances, "
        f"{report.audio_s / 60:.1f} minutes of speech, in {report.seconds:.0f} s."
    )
    print(
        f"Of left-out native phones, {report.native_accuracy:.1%} are nearest to their own. "
        f"{usefulness(report.native_accuracy)}"
    )
    print(f"Of its {report.inventory_phones} phones, {report.judged_phones} can be judged.")
    print_set_aside(report.set_aside, f"`nativeear index show {report.path} --set-aside`")


def _print_rebuild(report: RebuildReport) -> None:
    print(
        f"{report.path} is version {report.revision}: "
        f"{size_in_words(report.exemplars, report.silences)} from {report.utterances:,} utterances "
        f"(before: {size_in_words(report.exemplars_before, report.silences_before)} from "
        f"{report.utterances_before:,}), in {report.seconds:.0f} s."
    )
    if not report.different:
        print("It has the same bytes as before.")
    else:
        print(f"Other bytes than before: {', '.join(report.different)}.")
    for library, (before, now) in report.libraries.items():
        print(f"{library}: {before or 'not recorded'} before, {now or 'not here'} now")
    if report.set_aside:
        print(f"Set aside: {len(report.set_aside)}, see `nativeear index show --set-aside`")
    print_dropped(report.dropped)


def _layer(written: str | None) -> int | None:
    """The number of a layer; None where it is left to the encoder or to be chosen."""
    if written is None or written == "auto":
        return None
    if not written.isdecimal():
        raise InputError(
            f"--layer cannot be {written!r}.", fix="Give the number of a layer, or auto."
        )
    return int(written)


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InputError(
            f"{option} cannot be {value!r}.", fix=f"Choose one of {', '.join(allowed)}."
        )
    return value
