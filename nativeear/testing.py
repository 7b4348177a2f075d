"""For whoever writes a plug-in: checks of its protocol, and doubles that keep to theirs.

Each check asks for the least that a protocol promises, and raises `ConformanceError` with the first
thing that is wrong. The doubles are plug-ins that need no model.
"""

from nativeear.indexer.testing import check_reader
from nativeear.speech.doubles import (
    EvenAligner,
    ListedWords,
    ScriptedEncoder,
    ScriptedRecogniser,
)
from nativeear.speech.errors import ConformanceError
from nativeear.speech.testing import check_aligner, check_encoder, check_g2p, check_recogniser

__all__ = [
    "ConformanceError",
    "EvenAligner",
    "ListedWords",
    "ScriptedEncoder",
    "ScriptedRecogniser",
    "check_aligner",
    "check_encoder",
    "check_g2p",
    "check_reader",
    "check_recogniser",
]
