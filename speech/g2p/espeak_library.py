"""The espeak-ng library: its voices, and words as its own strings of phones.

It comes from the wheel `espeakng-loader` and is driven through `phonemizer`: no system package is
needed. Words are pronounced in isolation and many in one call.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from nativeear.speech.errors import InputError, MissingDependencyError
from nativeear.speech.languages import primary_subtag

VOICES = {"en": "en-us", "fr": "fr-fr", "no": "nb", "zh": "cmn"}
"""espeak-ng voices whose name is not the BCP 47 tag or its first part."""

# The library keeps global state, and ctypes lets other threads run during a call.
_lock = threading.Lock()


def voice(language: str) -> str:
    """The espeak-ng voice for a BCP 47 tag.

    Raises
    ------
    InputError
        If there is none.
    MissingDependencyError
        If the library cannot be loaded.
    """
    tag = language.replace("_", "-").lower()
    primary = primary_subtag(tag)
    # Spanish outside Spain and European French spoken elsewhere have a voice of their own or none.
    american_spanish = primary == "es" and "-" in tag and tag != "es-es"
    wanted = ("es-419",) if american_spanish else (VOICES.get(tag), tag, VOICES.get(primary))
    for name in (*wanted, primary):
        if name in _voices():
            return str(name)
    raise InputError(
        f"espeak-ng has no voice for language {language!r}.",
        fix="Give the pronunciations in a lexicon, or take letters for phones: graphemes.",
    )


def transcribe(name: str, words: Sequence[str]) -> list[str]:
    """What a voice says of each word: phones between spaces, `|` between words."""
    separator = import_module("phonemizer.separator").Separator(phone=" ", word="|", syllable="")
    if not words:
        return []
    with _lock:
        lines: list[str] = _speaker(name).phonemize(list(words), separator=separator, strip=True)
    return lines


@cache
def library_version() -> str:
    """Version of the library itself; empty where it cannot be loaded."""
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        library.espeak_Info.restype = ctypes.c_char_p
        version: bytes = library.espeak_Info(None) or b""
    except (ImportError, OSError, AttributeError):
        return ""
    return version.decode(errors="replace")


@cache
def _speaker(name: str) -> Any:
    quiet = logging.getLogger("nativeear.espeak")
    quiet.setLevel(logging.ERROR)  # it warns of every language switch, which callers deal with
    return _backend()(
        name,
        with_stress=True,
        preserve_punctuation=False,
        language_switch="keep-flags",
        words_mismatch="ignore",
        logger=quiet,
    )


@cache
def _voices() -> frozenset[str]:
    with _lock:
        return frozenset(_backend().supported_languages())


@cache
def _backend() -> Any:
    """phonemizer's backend, told to use the library of the wheel."""
    try:
        loader = import_module("espeakng_loader")
        wrapper = import_module("phonemizer.backend.espeak.wrapper").EspeakWrapper
        wrapper.set_library(loader.get_library_path())
        wrapper.set_data_path(loader.get_data_path())
        backend = import_module("phonemizer.backend").EspeakBackend
        backend.version()  # loads the library
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise MissingDependencyError(
            "The espeak-ng library cannot be loaded.",
            cause=str(error),
            fix="pip install --force-reinstall espeakng-loader phonemizer",
        ) from error
    return backend
