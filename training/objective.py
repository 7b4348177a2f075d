"""The training objective: CTC with wildcards, frame cross-entropy, and rejection."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from training.augment import STAR, Example
from training.compact_model import BLANK, Encoded

STAR_LOG_PROB = -1.0  # of the wildcard, in each frame
SMOOTHING = 0.05
REJECTION_WEIGHT = 0.3


class Losses(NamedTuple):
    """Mean losses of a batch: per phone, per weighted frame, per weighted rejected frame."""

    ctc: Tensor
    frame: Tensor
    rejection: Tensor

    @property
    def total(self) -> Tensor:
        """The sum that is minimised."""
        return self.ctc + self.frame + REJECTION_WEIGHT * self.rejection


def losses(encoded: Encoded, examples: list[Example], smoothing: float = SMOOTHING) -> Losses:
    """Compare a batch's log posteriors with its targets.

    A phone that experts rejected is a wildcard to CTC, one extra column of constant log
    probability: whatever was said there, or nothing, explains it. Its frames carry no
    cross-entropy; there the canonical label's probability is pushed down instead.
    """
    log_probs, lengths = encoded.log_probs, encoded.lengths
    batch, longest, n_labels = log_probs.shape
    device = log_probs.device
    star = log_probs.new_full((batch, longest, STAR - n_labels + 1), STAR_LOG_PROB)
    phones = torch.cat([example.phones for example in examples]).to(device)
    counts = torch.tensor([len(example.phones) for example in examples], device=device)
    ctc = F.ctc_loss(
        torch.cat([log_probs, star], dim=-1).transpose(0, 1),
        phones,
        lengths,
        counts,
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
    within = torch.arange(longest, device=device) < lengths[:, None]
    flat = log_probs[within]
    frames = torch.cat([example.frames for example in examples]).to(device)
    weights = torch.cat([example.frame_weights for example in examples]).to(device)
    rejected = torch.cat([example.rejected for example in examples]).to(device)
    frame = F.cross_entropy(flat, frames, reduction="none", label_smoothing=smoothing)
    at_label = flat.gather(1, frames[:, None])[:, 0]
    pushed = -torch.log1p(-at_label.exp().clamp(max=0.999))
    return Losses(
        ctc.sum() / counts.sum(),
        (frame * weights).sum() / weights.sum().clamp(min=1.0),
        (pushed * rejected).sum() / rejected.sum().clamp(min=1.0),
    )
