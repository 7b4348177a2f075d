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
class Part:
    """Measures on one set of transcripts: `annotated`; or `untouched`, `any` and `near` errors."""

    name: str
    evaluation: Evaluation


@dataclass(frozen=True)
class EvaluationReport:
    """Everything that `nativeear eval` prints."""

    material: Material
    system: System
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    def part(self, name: str) -> Evaluation:
        """The measures on the transcripts of that name."""
        return next(part.evaluation for part in self.parts if part.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON. A single part's fields stand at the top; several stand under their names."""
        content: dict[str, Any] = {
            "corpus": asdict(self.material),
            "system": asdict(self.system),
            "notes": list(self.notes),
        }
        parts = {part.name: _named(asdict(part.evaluation)) for part in self.parts}
        return content | (next(iter(parts.values())) if len(parts) == 1 else parts)


def _named(value: Any) -> Any:
    """Lists of measures as objects by name."""
    if isinstance(value, dict):
        return {
            key: {each.pop("name"): each for each in item} if key == "measures" else _named(item)
            for key, item in value.items()
        }
    return [_named(each) for each in value] if isinstance(value, list | tuple) else value
