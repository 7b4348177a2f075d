"""From rated recordings to fitted bands: every recording is assessed, then the model is fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from nativeear.scoring.assessor import Assessor
from nativeear.scoring.proficiency.fit import fit_bands
from nativeear.scoring.proficiency.model import BandModel, how_assessed, scores_of
from nativeear.scoring.proficiency.ratings import RatedRecording, scale_of
from nativeear.speech.errors import InputError, NativeEarError
from nativeear.speech.recogniser import Recogniser


def fit_rated(
    rated: Sequence[RatedRecording],
    assessor: Assessor,
    *,
    recogniser: Recogniser | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> tuple[BandModel, tuple[str, ...]]:
    """Assess rated recordings and fit their bands.

    Returns
    -------
    BandModel
        See there.
    tuple of str
        Why recordings were left out, one sentence each.

    Raises
    ------
    InputError
        If the bands are of no scale, no recording is left, some were read and some not, or the
        fit has too few.
    """
    scale, bands = scale_of([item.band for item in rated])
    scores, kept, unused = [], [], []
    ways: Counter[str] = Counter()
    for number, item in enumerate(rated):
        progress("Assessing", number, len(rated))
        try:
            result = (
                assessor.assess(item.audio, item.text)
                if item.text
                else assessor.assess_free(item.audio, recogniser=recogniser)
            )
        except NativeEarError as error:
            unused.append(f"{item.audio}: {error.message}")
            continue
        found = scores_of(result)
        if found is None:
            unused.append(f"{item.audio}: fluency or prosody has no score.")
            continue
        ways[how_assessed(result)] += 1
        scores.append(found)
        kept.append(item)
    progress("Assessing", len(rated), len(rated))
    if len(ways) > 1:
        raise InputError(
            "Some recordings have a text and some have none.",
            cause="Their scores do not mean the same.",
            fix="Fit bands for read and for free speech apart.",
        )
    if not kept:
        raise InputError("None of the recordings could be assessed.", cause=" ".join(unused[:1]))
    places = np.array([bands.index(item.band) for item in kept], dtype=np.int64)
    speakers = [item.speaker for item in kept]
    fitted = fit_bands(np.array(scores), places, speakers, bands)
    return (
        BandModel(
            scale=scale,
            bands=bands,
            index=assessor.index.name,
            encoder=assessor.index.manifest.encoder.fingerprint,
            assessed=next(iter(ways)),
            recordings=len(kept),
            speakers=len(set(speakers)),
            **vars(fitted),
        ),
        tuple(unused),
    )
