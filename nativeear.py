"""NativeEar hears a learner against native speech.

>>> import nativeear
>>> result = nativeear.load("en-US").assess("me.wav", "I think so")   # doctest: +SKIP
>>> result.score.pronunciation                                        # doctest: +SKIP
>>> result.to_frame()                     # pandas, a row per phone   # doctest: +SKIP

`load`, `Assessor`, `Assessment` and the errors are the public face; nothing else is promised to
stay.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from speech.errors import NativeEarError

if TYPE_CHECKING:
    from scoring.assessment import Assessment
    from scoring.assessor import Assessor
    from speech.audio import Audio

__all__ = ["Assessment", "Assessor", "Audio", "NativeEarError", "load"]

_LAZY = {
    "Assessment": "scoring.assessment",
    "Assessor": "scoring.assessor",
    "Audio": "speech.audio",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'nativeear' has no attribute {name!r}")


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
        The encoder that built the index; its own by default. A folder where a downloaded model
        lies may be named here.
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
    from indexes.catalogue import find_index
    from indexes.phone_index import PhoneIndex
    from scoring.assessor import Assessor
    from speech.aligners.catalogue import choose_aligner, load_aligner
    from speech.encoders.catalogue import load_encoder
    from speech.pronunciation import Pronouncer

    opened = PhoneIndex.open(find_index(index))
    manifest, model = opened.manifest, opened.aligner_model
    heard_by = load_encoder(encoder or manifest.encoder.name, layer=manifest.encoder.layer)
    name = choose_aligner(aligner, opened.inventory, heard_by, model)
    return Assessor(
        opened,
        heard_by,
        load_aligner(name, opened.language, inventory=opened.inventory, model=model),
        Pronouncer(
            opened.language,
            lexicon=lexicon or opened.lexicon,
            g2p=manifest.g2p,
            inventory=opened.inventory,
        ),
        calibration=calibration,
        false_rejections=false_rejections,
    )
