"""Aligners by name, and which one serves a language."""

from __future__ import annotations

from speech import registry
from speech.alignment import Aligner
from speech.errors import InputError


def load_aligner(name: str = "auto", language: str = "en-US") -> Aligner:
    """Make the aligner called `name`, or the one that serves `language` (`auto`).

    Parameters
    ----------
    name
        `auto`, or a name registered in the entry point group `nativeear.aligners`.
    language
        BCP 47 tag.

    Raises
    ------
    InputError
        If nothing is registered under that name, or nothing here serves the language.
    """
    if name == "auto":
        if language.replace("_", "-").split("-")[0].lower() != "en":
            raise InputError(
                f"No aligner here serves {language!r} yet.",
                cause="pocketsphinx aligns English; other languages need alignments of your own.",
                fix="Put TextGrids (from the Montreal Forced Aligner, for instance) beside the"
                " audio: they are read for every language.",
            )
        name = "pocketsphinx"
    aligner: Aligner = registry.find("aligners", name)(language)
    return aligner
