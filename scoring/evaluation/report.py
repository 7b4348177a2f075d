"""The result of one evaluation: what was measured, on what, with what."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from nativeear.indexer.corpus import SetAside
from nativeear.scoring.evaluation.bootstrap import CONFIDENCE
from nativeear.scoring.evaluation.judgements import Detection
from nativeear.scoring.evaluation.measures import Evaluation


@dataclass(frozen=True)
class Material:
    """The corpus, and what of it could be used.

    `speakers_in_index` are those of whom the index itself holds exemplars; `failed` are the
    utterances that could not be assessed.
    """

    kind: str
    name: str
    data: str
    split: str
    speakers_in_index: int
    set_aside: tuple[SetAside, ...]
    failed: tuple[SetAside, ...]


@dataclass(frozen=True)
class System:
    """What judged, and how."""

    index: str
    language: str
    encoder: str
    calibration: str
    detection: Detection
    exclude_own: bool
    seed: int
    resamples: int
    confidence: float = CONFIDENCE


@dataclass(frozen=True)
class EvaluationReport:
    """Everything that `nativeear eval` prints.

    `parts` are the measures on each set of transcripts: `annotated`; or `untouched`, and with `any`
    and `near` errors.
    """

    material: Material
    system: System
    parts: dict[str, Evaluation]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON. A single part's fields stand at the top; several stand under their names."""
        head = {"corpus": asdict(self.material), "system": asdict(self.system), "notes": self.notes}
        parts = {name: asdict(evaluation) for name, evaluation in self.parts.items()}
        return head | (next(iter(parts.values())) if len(parts) == 1 else parts)
