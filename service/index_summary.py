"""What `nativeear index show` says of an index."""

from __future__ import annotations

from pathlib import Path

from rich.columns import Columns
from rich.console import Console
from rich.text import Text

from nativeear.indexes.index_files import ALIGNER, EMBEDDINGS
from nativeear.indexes.manifest import Manifest
from nativeear.indexes.reliability import MIN_COVERAGE
from nativeear.indexes.set_aside import set_aside_of
from nativeear.scoring.reliability import usefulness
from nativeear.service.index_size import size_in_words
from nativeear.service.search_summary import search_in_words
from nativeear.service.tables import Column, Listing
from nativeear.speech.alignment import SILENCE
from nativeear.speech.inventory import PhoneInventory


def print_manifest(path: Path, manifest: Manifest, console: Console) -> None:
    """Print a manifest: what it is, the corpora with their licences, and the phones it knows."""
    table = Listing((Column("", "name", style="dim"), Column("")), head=False)
    for name, value in _facts(path, manifest).items():
        table.add(name, value)
    if manifest.history:
        table.add("before", "\n".join(manifest.history))
    console.print(table)

    corpora = Listing(
        (
            Column("name", "name"),
            Column("licence"),
            Column("utterances", "number"),
            Column("minutes", "number"),
        ),
        title="Corpora",
    )
    for corpus in manifest.corpora:
        corpora.add(
            corpus.name,
            corpus.licence or "not stated",
            f"{corpus.utterances:,}",
            f"{corpus.audio_s / 60:.1f}",
        )
    console.print(corpora)

    console.print(Text("Phones", style="italic"))
    inventory = PhoneInventory.from_json(manifest.inventory)
    cells = [
        Text(f"{inventory.ipa(phone)} {count:,}{'' if count >= MIN_COVERAGE else '?'}")
        for phone, count in sorted(manifest.counts.phones.items(), key=lambda item: -item[1])
        if phone != SILENCE
    ]
    console.print(Columns(cells, padding=(0, 3), equal=True))
    counts = manifest.counts.phones
    if any(counts[phone] < MIN_COVERAGE for phone in counts if phone != SILENCE):
        console.print(
            f"? fewer than {MIN_COVERAGE} examples: judged as uncertain; "
            "`nativeear index audit` tells which others are",
            style="dim",
        )


def _facts(path: Path, manifest: Manifest) -> dict[str, str]:
    encoder, counts, decision = manifest.encoder, manifest.counts, manifest.decision
    recipe = manifest.recipe
    aside = set_aside_of(path, manifest)
    layer = "" if encoder.layer is None else f", layer {encoder.layer}"
    return {
        "name": manifest.name,
        "folder": str(path),
        "language": manifest.language,
        "encoder": f"{encoder.name}{layer}, {encoder.dim} dimensions, {encoder.dtype}",
        "fingerprint": encoder.fingerprint,
        "transform": f"{manifest.transform.kind} to {manifest.transform.dim} dimensions",
        "pooling": manifest.pooling,
        "size": f"{size_in_words(counts.exemplars, counts.silences)}, "
        f"{counts.utterances:,} utterances, "
        f"{counts.speakers:,} speakers, {counts.audio_s / 60:.1f} minutes",
        "accuracy": f"{decision.native_accuracy:.1%} of left-out native phones are nearest to "
        f"their own. {usefulness(decision.native_accuracy)}",
        "clips": manifest.clips or "none",
        "aligner": manifest.aligner
        + (f" ({recipe.aligner})" if recipe and recipe.aligner != manifest.aligner else "")
        + (", learnt from this speech" if ALIGNER in manifest.files else ""),
        "words": ", ".join(recipe.pronunciations) if recipe else manifest.g2p or "not recorded",
        "espeak-ng": manifest.libraries.get("espeak-ng") or "not recorded",
        "embeddings": "kept: changes refit the index"
        if EMBEDDINGS in manifest.files
        else "not kept: changes leave transform and decision as they are",
        "search": search_in_words(manifest.search),
        "set aside": f"{len(aside):,} utterances; see --set-aside" if aside else "none",
        "version": str(manifest.revision),
        "made by": manifest.command,
    }
