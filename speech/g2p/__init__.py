"""How single words come by their phones: one small protocol, one file per source.

A new source is a module with a function ``load(language, inventory) -> G2P``, registered in the
entry point group ``nativeear.g2p``, and is chosen with ``Pronouncer(language, g2p="name")``. A
source that can say words in languages without a shipped inventory also has a function
``inventory(language, words) -> PhoneInventory``, which gives the phones of these words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Protocol, runtime_checkable

from nativeear.speech import registry
from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.inventory import PhoneInventory

# What ships is found without entry points too, so that a source checkout works uninstalled.
_SHIPPED = ("cmudict", "espeak", "graphemes")


@runtime_checkable
class G2P(Protocol):
    """Gives words their phones."""

    @property
    def name(self) -> str:
        """How people name it, for instance `espeak`."""

    def pronounce(self, words: Sequence[str]) -> list[tuple[PhoneSequence, ...]]:
        """Pronunciations of each word, the commonest first; empty for a word it cannot say."""


def load(name: str, language: str, inventory: PhoneInventory) -> G2P:
    """The G2P registered as `name`, for one language.

    Raises
    ------
    InputError
        If there is none of that name, or it does not know the language.
    """
    return _factory(name)(language, inventory)


def inventory(name: str, language: str, words: Iterable[str]) -> PhoneInventory:
    """The phones that the G2P registered as `name` needs for the words of a corpus.

    Raises
    ------
    InputError
        If there is none of that name, it does not know the language, or it makes no inventory and
        none ships.
    """
    make: Callable[..., PhoneInventory] | None = getattr(
        import_module(_factory(name).__module__), "inventory", None
    )
    return PhoneInventory.load(language) if make is None else make(language, words)


def _factory(name: str) -> Callable[..., G2P]:
    if name not in _SHIPPED:
        return registry.find("g2p", name)
    found: Callable[..., G2P] = import_module(f"nativeear.speech.g2p.{name}").load
    return found
