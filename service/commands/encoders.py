"""`nativeear encoders`: which there are, what one is good for, and bringing its weights here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.service.commands.guard import (
    SOME_FAILED,
    GuardedCommand,
    command_group,
    print_json,
)
from nativeear.service.commands.options import AsJson, Layer

if TYPE_CHECKING:
    from nativeear.speech.encoders.checking import EncoderCheck, HeadCheck

app = command_group("encoders", "List, show, fetch and check speech encoders.")
SAMPLE = "auth-incorrect.flac"
"""Recording that ships, of 4.6 s, on which an encoder is tried where no other is given."""
MOST_LABELS = 12
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME|PATH|HUB_ID", help="An encoder, or `default`.")
]


@app.command(name="list", cls=GuardedCommand)
def list_(as_json: AsJson = False) -> None:
    """List the encoders that have a name."""
    from nativeear.speech.encoders.catalogue import list_encoders

    encoders = list_encoders()
    if as_json:
        print_json(encoders)
        return
    from nativeear.service.tables import Column, Listing, console

    table = Listing(
        (
            Column("name", "name"),
            Column("here"),
            Column("dimensions", "number"),
            Column("layers", "number"),
            Column("licence"),
            Column("what it is"),
        )
    )
    for info in encoders:
        table.add(
            info.name,
            "yes" if info.local else "no",
            "" if info.dim is None else str(info.dim),
            "" if info.layers is None else str(info.layers),
            info.licence,
            info.note,
        )
    console().print(table)


@app.command(cls=GuardedCommand)
def show(name: NameArgument, as_json: AsJson = False) -> None:
    """Show what is known of an encoder; of the shipped one, its whole card."""
    from nativeear.speech.encoders.catalogue import describe

    facts = asdict(describe(name))
    if facts["name"] == "compact":
        from nativeear.speech.encoders.compact import card

        facts["card"] = card()
    if as_json:
        print_json(facts)
    else:
        _print_facts(facts)


def _print_facts(facts: Mapping[str, object], indent: str = "") -> None:
    """Print nested facts one to a line, leaving out what is not known."""
    for fact, value in facts.items():
        title = f"{indent}{fact.replace('_', ' ')}"
        if isinstance(value, Mapping):
            print(title)
            _print_facts(value, indent + "  ")
        elif isinstance(value, list | tuple):
            print(title)
            for item in value:
                if isinstance(item, Mapping):
                    print(f"{indent}  - {'; '.join(str(part) for part in item.values())}")
                else:
                    print(f"{indent}  - {item}")
        elif isinstance(value, bool):
            print(f"{title:<14} {'yes' if value else 'no'}")
        elif value not in (None, ""):
            print(f"{title:<14} {value}")


@app.command(cls=GuardedCommand)
def fetch(name: NameArgument, as_json: AsJson = False) -> None:
    """Bring an encoder's weights to this machine."""
    from nativeear.speech.encoders.catalogue import fetch

    folder = fetch(name)
    if as_json:
        print_json({"name": name, "folder": folder})
    elif folder is None:
        print(f"{name} needs no weights: it is already here.")
    else:
        print(folder)


@app.command(cls=GuardedCommand)
def check(
    name: NameArgument,
    lang: Annotated[
        str, typer.Option(metavar="TAG", help="The language that it is to serve.")
    ] = "en-US",
    audio: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A recording of that language to try it on.")
    ] = None,
    layer: Layer = None,
    as_json: AsJson = False,
) -> None:
    """Open an encoder and try it: its speed, its hop, and which phones its labels tell."""
    from nativeear.speech.audio import Audio
    from nativeear.speech.encoders.checking import check as check_encoder
    from nativeear.speech.inventory import PhoneInventory

    inventory = PhoneInventory.load(lang)
    if audio is None:
        with as_file(files("nativeear.service") / "data" / SAMPLE) as sample:
            recording = Audio.load(sample)
    else:
        recording = Audio.load(audio)
    found = check_encoder(name, recording, inventory, layer=layer)
    if as_json:
        print_json(asdict(found))
    else:
        _print_check(found, lang)
    if found.problems:
        raise typer.Exit(SOME_FAILED)


def _print_check(found: EncoderCheck, lang: str) -> None:
    serves = {
        (True, True): "retrieval and phone posteriors",
        (True, False): "retrieval",
        (False, True): "phone posteriors",
        (False, False): "nothing",
    }[found.retrieval, found.posteriors]
    speed = found.speech_s / max(found.encode_s, 1e-3)
    layers = "" if found.layers is None else f"{found.layers}, of which {found.layer} is read"
    _print_facts(
        {
            "name": found.name,
            "kind": found.kind,
            "serves": f"{serves} ({lang})",
            "dimensions": found.dim,
            "layers": layers,
            "hop": f"{found.hop_ms:g} ms, the first frame at {found.offset_ms:g} ms",
            "opened in": f"{found.load_s:.1f} s",
            "speed": f"{speed:.1f} × real time here",
            "fingerprint": found.fingerprint,
        }
    )
    if found.head is None:
        print(f"{'posteriors':<14} none: {found.head_refusal}")
    else:
        _print_head(found.head)
    for title, sentences in (("note", found.notes), ("PROBLEM", found.problems)):
        for sentence in sentences:
            print(f"{title:<14} {sentence}")


def _print_head(head: HeadCheck) -> None:
    facts = {
        "labels": f"{head.labels}, which tell {head.phones} of the {head.of_phones} phones",
        "blank": f"likeliest in {head.blank_share:.0%} of the frames",
        "no sound": _some(head.silent),
        "as the nearest": _some(f"{label} as {ipa}" for label, ipa, _ in head.approximate),
        "as several": _some(f"{label} as {said}" for label, said in head.composite),
        "spelled": _some(f"{ipa} by {said}" for ipa, said in head.spelled),
        "other sounds": _some(head.other),
        "cannot tell": _some(head.absent),
        "heard": head.heard,
    }
    _print_facts(facts)


def _some(labels: Iterable[str]) -> str:
    """Labels in a line, the first of many."""
    every = list(labels)
    more = f" … ({len(every)})" if len(every) > MOST_LABELS else ""
    return ", ".join(every[:MOST_LABELS]) + more
