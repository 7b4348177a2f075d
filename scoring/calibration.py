"""From evidence to grades: which calibrations there are, and which one an index gets."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import FalseRejections
from nativeear.scoring.evidence import RecordingEvidence
from nativeear.scoring.fusion import expert
from nativeear.scoring.fusion.marks import MarkModel
from nativeear.scoring.fusion.training_free import TrainingFree
from nativeear.scoring.grading import FALSE_REJECTIONS, Grade
from nativeear.speech.errors import InputError

CalibrationName = Literal["auto", "expert", "training-free"]

DOUBTED = 2.0
"""Times the share of natives' phones that may be flagged, among which `expert` believes company
against a phone. A phone better than these is not blamed for it."""


class Calibration(Protocol):
    """Turns the evidence on a recording into grades. Safe to share between threads."""

    @property
    def name(self) -> str:
        """What the result says of it."""

    @property
    def marks(self) -> MarkModel | None:
        """Gives words and readings experts' marks; None where their phones' scores are taken."""

    @property
    def deleted(self) -> Grade:
        """What a phone gets that was not said."""

    def grades(self, evidence: RecordingEvidence) -> tuple[Grade, ...]:
        """Grade every canonical phone, in order."""


def rejections_of(calibration: Calibration, asked: float) -> FalseRejections:
    """Which share of faultless phones was allowed to be flagged, and which is to be expected."""
    expected = calibration.expected_rejections if isinstance(calibration, TrainingFree) else None
    return FalseRejections(asked=asked, expected=expected)


def calibration_of(
    name: str,
    index: PhoneIndex,
    *,
    false_rejections: float = FALSE_REJECTIONS,
) -> Calibration:
    """The calibration called `name`, for one index.

    Parameters
    ----------
    name
        `training-free`, `expert`, or `auto`: `expert` where it was fitted for this index's
        language and encoder, else `training-free`.
    index
        The index.
    false_rejections
        Share of native phones that may be flagged, above 0 and at most 0.5.

    Raises
    ------
    InputError
        If there is no such calibration, it does not serve the index, or the share is no share.
    """
    if name not in get_args(CalibrationName):
        raise InputError(
            f"There is no calibration called {name!r}.",
            fix=f"Choose one of {', '.join(get_args(CalibrationName))}.",
        )
    if not 0 < false_rejections <= 0.5:
        raise InputError(
            f"{false_rejections:g} is no share of false rejections.",
            fix="Give a share above 0 and at most 0.5, as in 0.04.",
        )
    fits = expert.serves(index)
    if name == "expert" and not fits:
        raise InputError(
            f"The expert calibration does not serve the index {index.name}.",
            cause="It was fitted for English and the encoder that comes with NativeEar.",
            fix="Use --calibration training-free, which needs nothing but the index.",
        )
    if not fits or name == "training-free":
        return TrainingFree(index, false_rejections=false_rejections)
    by_natives = TrainingFree(index, false_rejections=min(0.5, DOUBTED * false_rejections))
    return expert.ExpertCalibration(expert.shipped(), by_natives, false_rejections=false_rejections)
