"""The result of one evaluation: what was measured, on what, with what."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from nativeear.indexer.corpus import SetAside
from nativeear.scoring.evaluation.bootstrap import CONFIDENCE
from nativeear.scoring.evaluation.judgements import Detection
from nativeear.scoring.evaluation.measures import Counts, Evaluation


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
    and `near` errors. `baselines` are the measures of another detector on the phones of these sets
    that ours judges, if one was asked for; `declined` what it makes of those that ours does not
    judge, and `baseline` is its name.
    """

    material: Material
    system: System
    parts: dict[str, Evaluation]
    notes: tuple[str, ...] = ()
    baseline: str = ""
    baselines: dict[str, Evaluation] = field(default_factory=dict)
    declined: dict[str, Counts] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON. A single part's fields stand at the top; several stand under their names.

        A baseline's stand in its part, under its own name.
        """
        head = {"corpus": asdict(self.material), "system": asdict(self.system), "notes": self.notes}
        parts = {
            name: asdict(evaluation)
            | ({self.baseline: self._beside(name)} if name in self.baselines else {})
            for name, evaluation in self.parts.items()
        }
        return head | (next(iter(parts.values())) if len(parts) == 1 else parts)

    def _beside(self, part: str) -> dict[str, Any]:
        return asdict(self.baselines[part]) | {"declined": asdict(self.declined[part])}
