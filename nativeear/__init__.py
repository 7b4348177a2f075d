"""NativeEar hears a learner against native speech.

>>> import nativeear
>>> result = nativeear.load("en-US").assess("me.wav", "I think so")   # doctest: +SKIP
>>> result.score.pronunciation                                        # doctest: +SKIP
>>> result.to_frame()                     # pandas, a row per phone   # doctest: +SKIP

What stands in `__all__` is the public face; `nativeear.testing` is for who writes plug-ins. Nothing
else is promised to stay.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nativeear.speech.errors import (
    AlignmentError,
    AudioError,
    CorpusError,
    EncoderError,
    IndexFormatError,
    InputError,
    MissingDependencyError,
    NativeEarError,
    PhoneError,
    PronunciationError,
)
from nativeear.speech.extras import needing

if TYPE_CHECKING:
    from nativeear.indexer.audit.report import audit
    from nativeear.indexer.build import BuildReport, BuildRequest, build_index
    from nativeear.indexes.phone_index import PhoneIndex
    from nativeear.retriever.neighbours import Exclusion
    from nativeear.scoring.accents import Accents
    from nativeear.scoring.assessment import Assessment, PhoneAssessment, Scores, WordAssessment
    from nativeear.scoring.assessor import Assessor
    from nativeear.service.client import AsyncClient, Client, ProblemError
    from nativeear.service.report.page import write_report
    from nativeear.speech.alignment import Aligner
    from nativeear.speech.audio import Audio
    from nativeear.speech.frames import Encoder
    from nativeear.speech.recognisers.whisper import WhisperRecogniser

    __version__: str

__all__ = [
    "Accents",
    "Aligner",
    "AlignmentError",
    "Assessment",
    "Assessor",
    "AsyncClient",
    "Audio",
    "AudioError",
    "BuildReport",
    "BuildRequest",
    "Client",
    "CorpusError",
    "Encoder",
    "EncoderError",
    "Exclusion",
    "IndexFormatError",
    "InputError",
    "MissingDependencyError",
    "NativeEarError",
    "PhoneAssessment",
    "PhoneError",
    "PhoneIndex",
    "ProblemError",
    "PronunciationError",
    "Scores",
    "WhisperRecogniser",
    "WordAssessment",
    "__version__",
    "audit",
    "build_index",
    "load",
    "load_accents",
    "write_report",
]

_LAZY = {
    "Accents": "scoring.accents",
    "Aligner": "speech.alignment",
    "Assessment": "scoring.assessment",
    "Assessor": "scoring.assessor",
    "AsyncClient": "service.client",
    "Audio": "speech.audio",
    "BuildReport": "indexer.build",
    "BuildRequest": "indexer.build",
    "Client": "service.client",
    "Encoder": "speech.frames",
    "Exclusion": "retriever.neighbours",
    "PhoneAssessment": "scoring.assessment",
    "PhoneIndex": "indexes.phone_index",
    "ProblemError": "service.client",
    "Scores": "scoring.assessment",
    "WhisperRecogniser": "speech.recognisers.whisper",
    "WordAssessment": "scoring.assessment",
    "audit": "indexer.audit.report",
    "build_index": "indexer.build",
    "write_report": "service.report.page",
}
"""Room of each name that is looked up when it is first asked for: `import nativeear` loads none."""


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        with needing(None, f"nativeear.{name}"):
            return getattr(import_module(f"nativeear.{_LAZY[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("nativeear")
    raise AttributeError(f"module 'nativeear' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load(
    index: str | Path = "en-US",
    *,
    encoder: str | None = None,
    aligner: str = "auto",
    lexicon: Path | None = None,
    calibration: str = "auto",
    false_rejections: float = 0.04,
) -> Assessor:
    """Open an index and everything that assessing against it needs.

    Parameters
    ----------
    index
        Name or folder of an index.
    encoder
        The encoder that built the index, such as the folder where its model lies here; by
        default it is looked for, see `speech.encoders.model_folders.find`.
    aligner
        `auto` or one of the registered aligners.
    lexicon
        A pronunciation lexicon that is asked before all others.
    calibration
        `training-free` grades by native speech alone; `expert` as experts would, where the index
        allows it; `auto` takes the second where it can.
    false_rejections
        Share of native phones that may be flagged.

    Returns
    -------
    Assessor
        Its `assess(audio, text)` gives an `Assessment`.

    Raises
    ------
    NativeEarError
        With a plain sentence, a cause and a fix.
    """
    with needing(None, "nativeear.load"):
        from nativeear.indexes.catalogue import find_index
        from nativeear.indexes.encoder_of import open_encoder
        from nativeear.indexes.phone_index import PhoneIndex

    opened = PhoneIndex.open(find_index(index))
    return _assessor(
        opened,
        open_encoder(opened, encoder),
        aligner=aligner,
        lexicon=lexicon,
        calibration=calibration,
        false_rejections=false_rejections,
    )


def load_accents(
    language: str, *, calibration: str = "auto", false_rejections: float = 0.04
) -> Accents:
    """Open every index of a language, to judge by the accent that a speaker is nearest to.

    Parameters
    ----------
    language
        BCP 47 tag; its primary subtag counts: `en` and `en-GB` find the indexes of all English.
    calibration, false_rejections
        As for `load`.

    Returns
    -------
    Accents
        Its `assess(audio, text)` gives an `Assessment` with its `accent`.

    Raises
    ------
    NativeEarError
        With a plain sentence, a cause and a fix.
    """
    with needing(None, "nativeear.load_accents"):
        from nativeear.indexes.catalogue import accents_of
        from nativeear.indexes.encoder_of import open_encoder
        from nativeear.indexes.phone_index import PhoneIndex
        from nativeear.scoring.accents import Accents

    encoders: dict[str, Encoder] = {}
    assessors = []
    for summary in accents_of(language):
        opened = PhoneIndex.open(summary.path)
        identity = opened.manifest.encoder
        if identity.fingerprint not in encoders:
            encoders[identity.fingerprint] = open_encoder(opened)
        assessors.append(
            _assessor(
                opened,
                encoders[identity.fingerprint],
                calibration=calibration,
                false_rejections=false_rejections,
            )
        )
    return Accents(assessors)


def _assessor(
    opened: PhoneIndex,
    heard_by: Encoder,
    *,
    aligner: str = "auto",
    lexicon: Path | None = None,
    calibration: str,
    false_rejections: float,
) -> Assessor:
    """Everything that assessing against an open index needs."""
    from nativeear.scoring.assessor import Assessor
    from nativeear.speech.aligners.catalogue import choose_aligner, load_aligner
    from nativeear.speech.pronunciation import Pronouncer

    model = opened.aligner_model
    name = choose_aligner(aligner, opened.inventory, heard_by, model)
    return Assessor(
        opened,
        heard_by,
        load_aligner(name, opened.language, inventory=opened.inventory, model=model),
        Pronouncer(
            opened.language,
            lexicon=lexicon or opened.lexicon,
            g2p=opened.manifest.g2p,
            inventory=opened.inventory,
        ),
        calibration=calibration,
        false_rejections=false_rejections,
    )
