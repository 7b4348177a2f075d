"""Aligners by name, and which one serves a language."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nativeear.speech import registry
from nativeear.speech.aligners.ctc import knows_all
from nativeear.speech.alignment import Aligner
from nativeear.speech.frames import Encoder
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag


def choose_aligner(
    name: str, inventory: PhoneInventory, encoder: Encoder, model: Path | None = None
) -> str:
    """Name of the aligner that `auto` means; any other name stays as it is.

    A model that was learnt from the index's own speech goes first, then `ctc` where the encoder's
    head tells every phone of the language, then pocketsphinx for English where it is installed.
    What is left is `flatstart`, which has to learn from a corpus.

    Parameters
    ----------
    name
        `auto`, or a name registered in the entry point group `nativeear.aligners`.
    encoder
        The encoder whose frames are aligned.
    model
        File of a flatstart model.
    """
    if name != "auto":
        return name
    if model is not None:
        return "flatstart"
    if knows_all(getattr(encoder, "phone_labels", ()), inventory):
        return "ctc"
    in_english = primary_subtag(inventory.language) == "en" and inventory.notation == "arpabet"
    return "pocketsphinx" if in_english and find_spec("pocketsphinx") else "flatstart"


def load_aligner(
    name: str,
    language: str = "en-US",
    *,
    inventory: PhoneInventory | None = None,
    model: Path | None = None,
) -> Aligner:
    """Make the aligner registered as `name` in the entry point group `nativeear.aligners`.

    Parameters
    ----------
    inventory
        The phones of the language, where they are not the shipped ones.
    model
        File of the model that `flatstart` needs.

    Raises
    ------
    InputError
        If nothing is registered under that name, or it does not serve the language.
    """
    own: dict[str, dict[str, Any]] = {
        "ctc": {"inventory": inventory},
        "flatstart": {"path": model},
    }
    aligner: Aligner = registry.find("aligners", name)(language, **own.get(name, {}))
    return aligner


def needs_frames(aligner: Aligner) -> bool:
    """Whether an aligner aligns by an encoder's frames."""
    return bool(getattr(aligner, "needs_frames", False))
