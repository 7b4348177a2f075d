"""A pack: everything that a page needs of an index, as files for any static host.

Their names hold the hash of what is in them, so that they may be kept for ever; `pack.json` alone
is asked anew, and names the others.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors.numpy import save

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import staged
from nativeear.scoring.calibration import DOUBTED
from nativeear.scoring.fusion import expert
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.service.browser.advice import advice_of
from nativeear.service.browser.lexicon import (
    common_by_phones,
    lexicon_text,
    reading_rules,
    spelling_costs,
)
from nativeear.service.browser.natives import native_arrays, native_texts
from nativeear.service.browser.reference import (
    exemplar_arrays,
    exemplar_names,
    reference_arrays,
)
from nativeear.speech.alignment import SILENCE
from nativeear.speech.encoders import compact
from nativeear.speech.errors import InputError
from nativeear.speech.languages import primary_subtag
from nativeear.speech.phone_head import LabelMap, label_map

FORMAT_VERSION = 3
PACK = "pack.json"
BUDGET_MB = 45.0
"""Most megabytes of a pack without its clips, unless others are asked for."""


def write_pack(
    index: PhoneIndex, out: Path, *, budget_mb: float = BUDGET_MB, clips: bool = False
) -> dict[str, Any]:
    """Write a pack, all of it or nothing.

    Parameters
    ----------
    index
        English, built with the shipped encoder.
    out
        A folder that is not there yet.
    budget_mb
        Most megabytes without clips.
    clips
        Whether the recordings that the index keeps are copied, too.

    Returns
    -------
    dict
        What `pack.json` holds.

    Raises
    ------
    InputError
        If a page cannot judge by this index, the folder is there, or the budget is too small.
    """
    if cause := obstacle(index):
        raise InputError(
            f"No pack can be made of the index {index.name}.",
            cause=cause,
            fix="Use en-US, or an English index that was built with `--encoder default`.",
        )
    refuse_taken(out)
    with staged(out) as stage:
        manifest = _manifest(index) | {"files": _files(index, stage)}
        size = sum(file["bytes"] for file in manifest["files"].values())
        if size > budget_mb * 1e6:
            raise InputError(
                f"The pack has {size / 1e6:.1f} MB, and {budget_mb:g} MB were allowed.",
                fix="Allow more, or make the index smaller with `nativeear index`.",
            )
        if clips:
            for name in sorted(set(index.clips.values())):
                target = stage / name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes((index.path / name).read_bytes())
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        (stage / PACK).write_text(text + "\n", encoding="utf-8")
        stage.chmod(0o755)
        stage.rename(out)
    return manifest


def obstacle(index: PhoneIndex) -> str | None:
    """Why no page can judge by an index; None where one can."""
    if primary_subtag(index.language) != expert.LANGUAGE:
        return f"It is of {index.language}, and a page has dictionary and judge of English alone."
    if not expert.serves(index):
        encoder = index.manifest.encoder.name
        return f"It was heard by the encoder {encoder}, and a page hears by the shipped one alone."
    if SILENCE not in index.classes:
        return "It holds no silences, by which a page tells sounds that were left out."
    return None


def refuse_taken(out: Path) -> None:
    """Raise InputError if a folder is there: nobody's pages are changed under their visitors."""
    if out.exists() or out.is_symlink():
        raise InputError(
            f"{out} exists already.", fix="Choose another folder, or delete that one first."
        )


def _files(index: PhoneIndex, stage: Path) -> dict[str, Any]:
    """Write every part, and say by what name, how large it is and what its hash is."""
    columns = _head(index).columns
    parts = {
        "encoder": ("onnx", (compact.FOLDER / compact.GRAPH).read_bytes()),
        "exemplars": ("safetensors", save(exemplar_arrays(index))),
        "names": ("json", _json(exemplar_names(index))),
        "reference": ("safetensors", save(reference_arrays(index, columns))),
        "prosody": ("safetensors", save(native_arrays(index))),
        "texts": ("json", _json(native_texts(index))),
        "judge": ("safetensors", (expert.FOLDER / expert.MODEL_FILE).read_bytes()),
        "lexicon": ("txt.gz", lexicon_text(index.language, index.inventory)),
        "common": ("json", _json(common_by_phones())),
        "spelling": ("json", _json(spelling_costs(index.language))),
        "advice": ("json", _json(advice_of(index.inventory))),
    }
    found = {}
    for name, (suffix, content) in parts.items():
        digest = hashlib.sha256(content).hexdigest()
        path = f"{name}.{digest[:16]}.{suffix}"
        (stage / path).write_bytes(content)
        found[name] = {"path": path, "bytes": len(content), "sha256": digest}
    return found


def _json(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _head(index: PhoneIndex) -> LabelMap:
    config = json.loads((compact.FOLDER / compact.CONFIG).read_text(encoding="utf-8"))
    return label_map(tuple(config["labels"]), index.inventory)


def _manifest(index: PhoneIndex) -> dict[str, Any]:
    """What is no array: who was heard, by what, and the settings of every step."""
    own, inventory = index.manifest, index.inventory
    config = json.loads((compact.FOLDER / compact.CONFIG).read_text(encoding="utf-8"))
    head = _head(index)
    record = json.loads((expert.FOLDER / expert.RECORD_FILE).read_text(encoding="utf-8"))
    return {
        "format_version": FORMAT_VERSION,
        "language": index.language,
        "index": index.name,
        "classes": list(index.classes),
        "bounds": index.bounds.tolist(),
        "pooling": own.pooling,
        "top_m": own.decision.top_m,
        "temperature": own.decision.temperature,
        "inventory": [
            {
                "symbol": phone.symbol,
                "ipa": phone.ipa,
                "vowel": inventory.is_vowel(phone.symbol),
                "syllabic": inventory.is_syllabic(phone.symbol),
            }
            for phone in inventory
        ],
        "encoder": {
            "name": own.encoder.name,
            "fingerprint": own.encoder.fingerprint,
            "embeddings": f"hidden_{config['knn_layer']}",
            "hop_s": config["hop_s"],
            "offset_s": config["offset_s"],
        },
        "head": {
            "columns": list(head.columns),
            "pieces": [pieces[0] for pieces in head.pieces],
            "spelling": {phone: list(columns) for phone, columns in head.spelling.items()},
            "absent": sorted(head.absent),
        },
        "judge": {
            "calibration": expert.ExpertCalibration.name,
            "false_rejections": FALSE_REJECTIONS,
            "doubted": DOUBTED,
            **{name: record[name] for name in ("columns", "averages", "word_marks")},
            **{name: record[name] for name in ("sentence_marks", "measures")},
        },
        "reading": reading_rules(index.language),
        "licences": [{"what": corpus.name, "licence": corpus.licence} for corpus in own.corpora]
        + [
            {"what": "NativeEar's encoder and judge", "licence": "Apache-2.0"},
            {"what": "CMU Pronouncing Dictionary", "licence": "BSD-2-Clause"},
        ],
    }
