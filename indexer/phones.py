"""The phones of a corpus, where none ship for its language."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nativeear.indexer.corpus import Corpus, Utterance
from nativeear.indexer.readers.ctm import is_silence
from nativeear.indexer.remote_files import local_copy
from nativeear.speech.aligners.textgrid import grid_labels
from nativeear.speech.errors import NativeEarError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer


def inventory_of(
    corpora: Iterable[Corpus], language: str, *, lexicon: Path | None = None, g2p: str | None = None
) -> PhoneInventory | None:
    """The phones of corpora, where they are not those that ship for the language.

    They come from the words of the texts; where there are no texts, from the labels of ready
    alignments.
    """
    if g2p is None and PhoneInventory.ships(language):
        return None
    utterances = [utterance for corpus in corpora for utterance in corpus.utterances]
    texts = [utterance.text for utterance in utterances if utterance.text]
    if texts:
        return Pronouncer.for_texts(language, texts, lexicon=lexicon, g2p=g2p).inventory
    labels = {label for utterance in utterances for label in _labels(utterance)}
    return PhoneInventory.from_labels(language, sorted(labels))


def _labels(utterance: Utterance) -> list[str]:
    """Phones of a ready alignment; none if its grid cannot be read, which is told later."""
    if utterance.textgrid is None:
        return [span.label for span in utterance.spans if not is_silence(span.label)]
    try:
        with local_copy(utterance.textgrid) as grid:
            return grid_labels(grid)
    except NativeEarError:
        return []
