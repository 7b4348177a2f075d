"""Two pictures of an evaluation: what was heard for what, and whether probabilities hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nativeear.scoring.evaluation.measures import Evaluation
from nativeear.speech.errors import InputError
from nativeear.speech.extras import needing
from nativeear.speech.inventory import PhoneInventory

DOTS_PER_INCH = 150


def plot_confusions(evaluation: Evaluation, inventory: PhoneInventory, path: Path) -> None:
    """Draw canonical phones against what the system heard, as shares of each row.

    Parameters
    ----------
    path
        File to write; its suffix tells the format (.png, .svg, .pdf).

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    InputError
        If the file cannot be written.
    """
    found = {(each.canonical, each.heard): each.phones for each in evaluation.confusions}
    meant = [s for s in inventory.symbols if any(s == canonical for canonical, _ in found)]
    heard = [*(s for s in inventory.symbols if any(s == h for _, h in found)), "deleted"]
    counts = np.array([[found.get((m, h), 0) for h in heard] for m in meant], dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2 + 0.22 * max(len(meant), len(heard))
    figure, axes = _figure((side + 1, side))
    # The square root shows rare confusions beside the diagonal.
    image = axes.imshow(np.sqrt(shares), cmap="cividis", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(heard)), [*map(inventory.ipa, heard[:-1]), "deleted"], rotation=90)
    axes.set_yticks(range(len(meant)), [inventory.ipa(symbol) for symbol in meant])
    axes.set_xlabel("heard")
    axes.set_ylabel("meant")
    axes.set_title(f"{int(counts.sum()):,} phones of {evaluation.utterances:,} utterances")
    bar = figure.colorbar(image, ax=axes, ticks=np.sqrt([0, 0.01, 0.05, 0.2, 0.5, 1]))
    bar.ax.set_yticklabels(["0 %", "1 %", "5 %", "20 %", "50 %", "100 %"])
    bar.set_label("share of the row")
    _save(figure, path)


def plot_reliability(evaluation: Evaluation, path: Path) -> None:
    """Draw how often phones were mispronounced against the probability that was stated.

    Parameters, raises
    ------------------
    See `plot_confusions`.
    """
    bins = [each for each in evaluation.reliability if each.phones]
    stated = [each.stated for each in bins]
    figure, axes = _figure((5, 5))
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    axes.plot(stated, [each.observed for each in bins], marker="o", color="#0072b2")
    for each in bins:
        axes.annotate(
            f"{each.phones:,}",
            (each.stated, each.observed),
            textcoords="offset points",
            xytext=(6, -10),
            fontsize=7,
        )
    error = evaluation.measures["calibration_error"].value
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="stated probability", ylabel="share mispronounced")
    axes.set_title("" if error is None else f"expected calibration error {error:.3f}")
    _save(figure, path)


def check_plotting() -> None:
    """Fail before any work if the pictures could not be drawn.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    with needing("plots", "A plot"):
        import matplotlib.figure  # noqa: F401


def _figure(size_inches: tuple[float, float]) -> tuple[Any, Any]:
    check_plotting()
    from matplotlib.figure import Figure  # no pyplot: nothing is shown, and no state is kept

    figure = Figure(figsize=size_inches, layout="constrained")
    return figure, figure.subplots()


def _save(figure: Any, path: Path) -> None:
    try:
        figure.savefig(path, dpi=DOTS_PER_INCH)
    except (OSError, ValueError) as error:
        raise InputError(
            f"The plot cannot be written to {path}.",
            cause=str(error),
            fix="Choose a folder that exists, and a name that ends in .png, .svg or .pdf.",
        ) from error
