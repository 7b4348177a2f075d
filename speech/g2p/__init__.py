"""How single words come by their phones: one small protocol, one file per source.

A new source is a module with a function ``load(language, inventory) -> G2P``, registered in the
entry point group ``nativeear.g2p``, and is chosen with ``Pronouncer(language, g2p="name")``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol, runtime_checkable

from speech import registry
from speech.inventory import PhoneInventory
from speech.pronunciation import PhoneSequence

# What ships is found without entry points too, so that a source checkout works uninstalled.
_SHIPPED = {"cmudict": "speech.g2p.cmudict", "espeak": "speech.g2p.espeak"}


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
    module = _SHIPPED.get(name)
    factory: Callable[..., G2P] = (
        import_module(module).load if module else registry.find("g2p", name)
    )
    return factory(language, inventory)
