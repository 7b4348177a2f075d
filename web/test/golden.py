"""Writes what every stage makes of recordings, for the twins of the page to be held to.

    python web/test/golden.py DIR AUDIO TEXT [AUDIO TEXT …]

Each recording gets a numbered folder with `golden.safetensors` and `golden.json`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

import nativeear
from nativeear.indexes.similarity import class_similarities
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.evidence import NO_EXCLUSION
from nativeear.scoring.fusion.expert import shipped
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.log_mel import log_mel
from nativeear.speech.phone_head import label_map
from nativeear.speech.pooling import pool
from nativeear.speech.prosody.intensity import track_intensity
from nativeear.speech.prosody.pitch import track_pitch
from nativeear.speech.steadying import steadied

FIRST_LANGUAGE = "ja"


def write_golden(assessor: Assessor, audio: Audio, text: str, out: Path) -> Assessment:
    """Write the stages of one recording; the result is returned, too."""
    out.mkdir(parents=True)
    heard = steadied(audio)
    frames = assessor.encoder.encode(heard.audio)
    log_probs = frames.log_probs if frames.log_probs is not None else np.zeros((0, 0), np.float32)
    pronunciation = assessor.pronounce(text)
    read = assessor._read(heard.audio, pronunciation, frames, as_given=False)
    heard_frames, alignment = assessor._laid(heard.audio, pronunciation, frames, read)
    evidence = assessor._judge.gather(heard_frames, alignment, NO_EXCLUSION)
    index = assessor.index
    spans_s = [(phone.start_s, phone.end_s) for phone in evidence.phones]
    pooled = pool(frames, spans_s, index.manifest.pooling)
    features = evidence.features
    pitch, intensity = track_pitch(heard.audio), track_intensity(heard.audio)
    arrays: dict[str, NDArray[Any]] = {
        "samples": audio.samples,
        "heard": heard.audio.samples,
        "log_mel": log_mel(heard.audio.samples),
        "embeddings": frames.embeddings,
        "log_probs": log_probs,
        "posteriors": label_map(frames.labels, index.inventory).pool(log_probs),
        "spans_s": np.array(spans_s, dtype=np.float64),
        "pooled": pooled,
        "similar": class_similarities(
            index.transform(pooled),
            index.vectors,
            index.bounds,
            top_m=index.manifest.decision.top_m,
        ),
        "gop": np.stack([evidence.gop.sf, evidence.gop.sf_sd, evidence.gop.margin], axis=1),
        "pitch_s": pitch.t_s,
        "f0_hz": pitch.f0_hz,
        "intensity_s": intensity.t_s,
        "intensity_db": intensity.db,
        "frame_log_posterior": features.column("frame_log_posterior"),
        "frame_margin": features.column("frame_margin"),
        "features": features.values,
        "expected": shipped().of(evidence),
        "deleted": evidence.deleted.astype(np.uint8),
    }
    save_file(
        {name: np.ascontiguousarray(values) for name, values in arrays.items()},
        out / "golden.safetensors",
    )
    result = assessor.assess(audio, text, id=out.name, l1=FIRST_LANGUAGE)
    described = {
        "text": text,
        "l1": FIRST_LANGUAGE,
        "pronunciation": asdict(pronunciation),
        "phones": [[phone.phone, phone.word_index] for phone in evidence.phones],
        "variants": list(read.alignment.variants),
        "likelihood": read.likelihood,
        "events": [[event.kind, event.word_index] for event in read.events],
        "columns": list(features.names),
        "assessment": result.model_dump(mode="json"),
    }
    (out / "golden.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    return result


if __name__ == "__main__":
    folder, *pairs = sys.argv[1:]
    assessor = nativeear.load("en-US")
    for i, (audio, text) in enumerate(zip(pairs[::2], pairs[1::2], strict=True)):
        write_golden(assessor, Audio.load(audio), text, Path(folder) / f"{i}-{Path(audio).stem}")
