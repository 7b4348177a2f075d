"""Pitch and intensity of an assessment over its words, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.prosody.assessment import Contour
from nativeear.speech.errors import InputError
from nativeear.speech.extras import needing

SUFFIXES = (".png", ".svg")
LEARNER, NATIVE, LEVEL = "#0b5fa5", "#c2571a", "#8a8a8a"


def check_picture(out: Path) -> None:
    """Refuse a picture that could not be written, before anything slow is done.

    Raises
    ------
    InputError
        If the format is not known or the folder is not there.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"The format of {out.name} is not known.", fix=f"End it in {' or '.join(SUFFIXES)}."
        )
    if not out.parent.is_dir():
        raise InputError(f"There is no folder {out.parent}.", fix="Make the folder first.")
    with needing("plots", "A plot"):
        import matplotlib.figure  # noqa: F401


def plot_prosody(result: Assessment, out: Path) -> None:
    """Draw the melody of the learner, and of the nearest native reading where there is one.

    The native melody is laid over the learner's speech from its first voiced sound to its last,
    about the learner's median, so that shapes can be compared, not voices.

    Raises
    ------
    InputError
        If the melody was not measured; the assessment's warnings say why.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure  # no pyplot: nothing is shown, and no state is kept

    contour = result.prosody.contour if result.prosody else None
    if contour is None:
        raise InputError(
            "There is no melody to draw.",
            cause=" ".join(w for w in result.warnings if w.startswith("Melody")),
            fix="Record it again, voiced and with little noise.",
        )
    figure = Figure(figsize=(max(6.0, min(24.0, 2.5 * result.duration_s)), 4.5))
    pitch, level = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_pitch(pitch, result, contour)
    level.plot(contour.t_s, _gaps(contour.intensity_db), color=LEVEL)
    level.set(ylabel="dB", xlabel="seconds", xlim=(0, result.duration_s))
    for axis in (pitch, level):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    # A fixed salt and no date: equal results are equal files.
    with rc_context({"svg.hashsalt": "nativeear"}):
        figure.savefig(out, dpi=150, metadata={"Date": None} if out.suffix == ".svg" else None)


def _draw_pitch(axis: Any, result: Assessment, contour: Contour) -> None:
    voiced = [t for t, hz in zip(contour.t_s, contour.f0_hz, strict=True) if hz is not None]
    axis.plot(contour.t_s, _gaps(contour.f0_hz), color=LEARNER, lw=2.5, label="you")
    prosody = result.prosody
    if prosody and prosody.native_contour_semitones and prosody.f0 and prosody.f0.median_hz:
        native = prosody.native_contour_semitones
        span, steps = voiced[-1] - voiced[0], max(1, len(native) - 1)
        axis.plot(
            [voiced[0] + span * i / steps for i in range(len(native))],
            [prosody.f0.median_hz * 2 ** (semitones / 12) for semitones in native],
            color=NATIVE,
            ls="--",
            label="native, at your pitch",
        )
        axis.legend(frameon=False, loc="upper right")
    axis.set_yscale("log", base=2)
    axis.yaxis.set_major_formatter(lambda hz, _: f"{hz:.0f}")
    axis.set(ylabel="Hz", title=result.id)
    top = axis.get_ylim()[1]
    for number, word in enumerate(result.words):
        if word.start_s is None or word.end_s is None:
            continue
        axis.axvspan(word.start_s, word.end_s, color="black", alpha=0.06 if number % 2 else 0.02)
        middle = (word.start_s + word.end_s) / 2
        axis.text(middle, top, word.word, ha="center", va="bottom", fontsize=8, rotation=30)
    axis.title.set_position((0.5, 1.1))


def _gaps(values: tuple[float | None, ...]) -> list[float]:
    """Values with NaN where there is none: the line breaks there."""
    return [float("nan") if value is None else value for value in values]
