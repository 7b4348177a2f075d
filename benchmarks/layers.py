"""The layer that `nativeear index build --layer auto` chooses, against a sweep over all of them.

    python -m benchmarks.layers [--encoder compact] [--sentences 20]

The layer is chosen on some sentences of three native speakers, as a build chooses it, and every
layer is then tried on other sentences of three other speakers. AUC: margins of natives who were
left out, against those of simulated errors.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.phone_heads import ASKED, FITTED_ON
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import NATIVES, rows_of
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.layer_choice import choose_layer, lay_sample, try_layer
from nativeear.indexer.utterances import PoolingRequest
from nativeear.speech.encoders.catalogue import describe


def utterances_of(speakers: tuple[str, ...], sentences: slice) -> list[Utterance]:
    """Some sentences of some speakers."""
    rows = rows_of(NATIVES)
    texts = sorted({row["id"].partition("_")[2] for row in rows})[sentences]
    return [
        Utterance(id=row["id"], audio=Path(row["audio"]), text=row["text"], speaker=row["speaker"])
        for row in rows
        if row["speaker"] in speakers and row["id"].partition("_")[2] in texts
    ]


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--encoder", default="compact")
    parser.add_argument("--sentences", type=int, default=20, help="of each speaker")
    arguments = parser.parse_args()
    number = arguments.sentences
    request = PoolingRequest("en-US", "pocketsphinx", arguments.encoder, None, "middle-third")

    def quiet(stage: str, done: int, total: int) -> None:
        del stage, done, total

    choice = choose_layer(request, utterances_of(FITTED_ON, slice(0, number)), quiet)
    asked = lay_sample(request, utterances_of(ASKED, slice(number, 2 * number)), quiet)
    layers = range(1, (describe(arguments.encoder).layers or 0) + 1)
    swept = {layer: try_layer(request, layer, asked) for layer in layers}
    tried = {each.layer: each for each in choice.tried}
    best = max(each.auc for each in swept.values())
    show(
        f"{arguments.encoder}: layer {choice.chosen} is chosen on {choice.audio_s / 60:.1f} min, "
        f"{best - swept[choice.chosen].auc:.4f} below the best on others",
        ("layer", "AUC where it is chosen", "AUC on others", "nearest to their own phone"),
        (
            (
                layer,
                f"{tried[layer].auc:.4f}" if layer in tried else "",
                f"{swept[layer].auc:.4f}",
                f"{swept[layer].accuracy:.1%}",
            )
            for layer in layers
        ),
    )


if __name__ == "__main__":
    main()
