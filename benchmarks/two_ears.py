"""What two ears of full size cost: HuBERT-Large for retrieval, XLSR-53 for phone posteriors.

    python -m benchmarks.two_ears [--recordings 3] [--layers 24] [--threads 1] [--device cpu]

Both have random weights, which do not matter for time and memory, and lie in folders as they would
be carried over. The product's own commands check each, build an index of recordings that ship with
both, and assess one of them, each in a process of its own; told are its seconds, and the most
memory that it had. With few `--layers` it shows that it runs.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

from benchmarks.reporting import options_of, show
from nativeear.service.demo import DONOR, PROMPT
from nativeear.speech.tables import table

SAVED = ("vm-msgsaved.flac", "Your message has been saved.")
LARGE = {
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
}
"""As both models have it; they differ in what they were trained for, and in the head."""


def main() -> None:
    """Write both models, build and assess, and print a table."""
    parser = options_of(__doc__)
    parser.add_argument("--recordings", type=int, default=3)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ear, head = folder / "hubert-large", folder / "xlsr-espeak"
        labels = ["<pad>", "<s>", "</s>", "<unk>"]
        labels += [row["label"] for row in table("ctc_labels_espeak")]
        sizes = save(ear, "Hubert", asked.layers, []), save(head, "Wav2Vec2", asked.layers, labels)
        speech = recordings(folder, asked.recordings)
        first = next(iter(csv.DictReader(speech.open(newline=""))))
        index = str(folder / "index")
        ears = ["--lang", "en-US", "--encoder", str(ear), "--head", str(head)]
        commands = {
            "check the first": ["encoders", "check", str(ear)],
            "check the second": ["encoders", "check", str(head)],
            "build": ["index", "build", "--corpus", str(speech), "--out", index, *ears],
            "assess": ["assess", first["audio"], "--text", first["text"], "--index", index],
        }
        environment = os.environ | {
            "OMP_NUM_THREADS": str(asked.threads),
            "NATIVEEAR_ENCODERS": place,
        }
        if asked.device == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        rows = [(what, *spent(command, environment)) for what, command in commands.items()]
    millions = " and ".join(f"{size / 1e6:.0f}" for size in sizes)
    title = f"{millions} million parameters, {asked.recordings} recordings, {asked.threads} thread"
    show(title, ("command", "exit", "seconds", "processor s", "GB at most"), rows)


def save(folder: Path, family: str, layers: int, labels: list[str]) -> int:
    """A random model as `save_pretrained` writes it; how many parameters it has."""
    import torch
    import transformers

    torch.manual_seed(0)
    settings = LARGE | {"num_hidden_layers": layers}
    if labels:
        settings |= {"vocab_size": len(labels), "pad_token_id": 0}
    config = getattr(transformers, f"{family}Config")(**settings)
    model = getattr(transformers, f"{family}ForCTC" if labels else f"{family}Model")(config)
    model.save_pretrained(folder)
    if labels:
        numbered = {label: number for number, label in enumerate(labels)}
        (folder / "vocab.json").write_text(json.dumps(numbered), encoding="utf-8")
    return sum(each.numel() for each in model.parameters())


def recordings(folder: Path, number: int) -> Path:
    """A table of recordings that ship."""
    data = Path(str(files("nativeear.service"))) / "data"
    there = [(data / name, text) for name, text in (SAVED, PROMPT, DONOR)]
    speech = folder / "recordings.csv"
    with speech.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("audio", "text", "speaker"))
        rows.writerows((audio, text, "native") for audio, text in there[:number])
    return speech


def spent(command: list[str], environment: dict[str, str]) -> tuple[int, str, str, str]:
    """Exit code, seconds by the clock and of the processor, and most memory of a command."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "nativeear", *command], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (
        process.returncode,
        f"{time.monotonic() - started:.0f}",
        f"{used.ru_utime + used.ru_stime:.0f}",
        f"{used.ru_maxrss * 1024 / 1e9:.1f}",
    )


if __name__ == "__main__":
    main()
