"""`nativeear compare`: a recording held against natives' of the same words, without a text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.service.commands.guard import print_json
from nativeear.service.commands.options import AsJson
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.scoring.comparison import Comparison, Space
    from nativeear.scoring.native_spread import NativeSpread
    from nativeear.speech.frames import Encoder


def compare(
    *,
    learner: Annotated[Path, typer.Argument(metavar="LEARNER", help="The recording to judge.")],
    natives: Annotated[
        list[Path],
        typer.Argument(metavar="NATIVE…", help="One or more natives who say the same words."),
    ],
    index: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|DIR",
            help="Measure distances as this index does, if there is one of the language.",
        ),
    ] = None,
    encoder: Annotated[
        str, typer.Option(metavar="NAME|PATH|HUB_ID", help="What hears, where there is no index.")
    ] = "default",
    as_json: AsJson = False,
) -> None:
    """Say where a recording differs from a native's by more than natives do.

    No text, no dictionary and no index are needed: any language, any words. What natives do is told
    by the others, and by an index of the same encoder.
    """
    from nativeear.scoring.comparison import compare as compare_frames
    from nativeear.speech.audio import Audio
    from nativeear.speech.steadying import steadied

    heard = [steadied(Audio.load(path)) for path in (learner, *natives)]
    ear, space, spread, factors = _ear(index, encoder)
    if len(natives) < 2 and spread is None:
        raise InputError(
            "One native alone does not tell by how much natives differ.",
            cause="No index of this encoder with several speakers tells it, either.",
            fix="Give a second native's recording of the same words, or an --index.",
        )
    frames = [ear.encode(each.audio) for each in heard]
    expected = None if spread is None else spread.at(frames[1].embeddings, factors)
    found = compare_frames(frames[0], frames[1], frames[2:], space, expected).moved(
        heard[0].start_s, heard[1].start_s
    )
    if as_json:
        told = {"learner": learner, "native": natives[0], "other_words": found.other_words}
        print_json({**told, **vars(found)})
    else:
        _print(found, natives[0])


def _ear(
    index: str | None, encoder: str
) -> tuple[Encoder, Space, NativeSpread | None, tuple[float, float]]:
    """What hears, how it measures distances, and by how much natives differ by that.

    Where no index is named, the one that ships tells it, if this encoder built it.
    """
    from nativeear.indexes.catalogue import DEFAULT_INDEX, find_index
    from nativeear.indexes.phone_index import PhoneIndex
    from nativeear.scoring.comparison import centred
    from nativeear.scoring.native_spread import BY_ENCODER, BY_INDEX, NativeSpread
    from nativeear.speech.encoders.catalogue import load_encoder

    if index is not None:
        import nativeear

        assessor = nativeear.load(index)
        own = assessor.index
        return assessor.encoder, own.transform, NativeSpread.of(own), BY_INDEX
    ear = load_encoder(encoder)
    shipped = PhoneIndex.open(find_index(DEFAULT_INDEX))
    fits = shipped.manifest.encoder.fingerprint == ear.fingerprint
    return ear, centred, NativeSpread.of(shipped) if fits else None, BY_ENCODER


def _print(found: Comparison, native: Path) -> None:
    from nativeear.service.tables import Column, Listing, console

    among = ", ".join(f"{distance:.2f}" for distance in found.natives)
    print(f"Distance {found.distance:.2f}" + (f"; of the other natives {among}." if among else "."))
    if found.other_words:
        print(
            f"These may be other words: it is {found.share_of_backwards:.0%} as far from the native"
            " as from him backwards. If they are, differences mean nothing."
        )
    if not found.differences:
        print("Nowhere farther from the native than other natives are.")
        return
    print(f"{found.different:.0%} of it is farther from the native than other natives are:")
    names = ("seconds", f"in {native.name}", "distance", "natives there", "limit")
    table = Listing(
        (
            Column(names[0], "name"),
            Column(names[1]),
            *(Column(each, "number") for each in names[2:]),
        )
    )
    for each in found.differences:
        table.add(
            f"{each.start_s:.2f}–{each.end_s:.2f}",
            f"{each.native_start_s:.2f}–{each.native_end_s:.2f}",
            f"{each.distance:.2f}",
            f"{each.natives:.2f}",
            f"{each.limit:.2f}",
        )
    console().print(table)
