"""Align by an encoder's own phone posteriors: the best CTC path through the text.

Nothing is trained and nothing is decoded twice: the frames that retrieval uses carry the
posteriors. Where a graphics card is there and torchaudio imports, its `forced_align` finds the
same path for texts without variants.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.aligners.flatstart import no_room
from nativeear.speech.aligners.frame_scores import frame_edges_s
from nativeear.speech.aligners.graphs import SpelledText, read_path, spell_ctc
from nativeear.speech.aligners.viterbi import best_path
from nativeear.speech.alignment import Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.encoders.catalogue import has_gpu
from nativeear.speech.errors import AlignmentError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import head_refusal, label_map

SHORTEST_PAUSE_S = 0.08
"""A shorter run of blanks between words is the blank that parts labels, not silence."""

SKIP_WEIGHT = -40.0
"""Log weight of leaving out a word, where words may be left out: less than any word costs that is
there, since a phone against the evidence costs about ten nats a frame."""


class CtcAligner:
    """Viterbi over the posteriors of an encoder's phone CTC head.

    Parameters
    ----------
    inventory
        The phones of the language.
    skips
        Whether words of the text may be missing in the recording.
    """

    name = "ctc"
    needs_frames = True

    def __init__(self, inventory: PhoneInventory, *, skips: bool = False) -> None:
        self.inventory = inventory
        self.skips = skips

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Align one recording by the posteriors in its frames.

        Raises
        ------
        AlignmentError
            If the frames have no phone posteriors, or too few frames for the text.
        """
        reason = "" if frames is None else head_refusal(frames, self.inventory)
        if frames is None or frames.log_probs is None or reason:
            raise AlignmentError(
                "The aligner ctc needs an encoder with a phone CTC head.",
                cause=reason,
                fix="Choose such an encoder, or the aligner flatstart.",
            )
        head = label_map(frames.labels, self.inventory)
        log_probs = head.pool(frames.log_probs)
        text = spell_ctc(
            pronunciation, head.spelling, skip_weight=SKIP_WEIGHT if self.skips else None
        )
        states = _on_cuda(frames, log_probs, text)
        if states is None:
            path = best_path(text.graph, log_probs)
            if path is None:
                raise no_room(len(frames), frames.hop_s)
            states = path.states
        emitted = np.exp(log_probs[np.arange(len(states)), text.graph.column[states]])
        return read_path(
            text,
            states,
            emitted,
            frame_edges_s(frames, audio.duration_s),
            self.name,
            shortest_pause_s=SHORTEST_PAUSE_S,
        )


def load(language: str = "en-US", inventory: PhoneInventory | None = None) -> CtcAligner:
    """Make the aligner for a language's phones."""
    return CtcAligner(inventory or PhoneInventory.load(language))


def knows_all(labels: Sequence[str], inventory: PhoneInventory) -> bool:
    """Whether a head with these labels, blank first, tells every phone of an inventory."""
    from nativeear.speech.phone_head import labels_refusal

    if not labels or labels_refusal(labels, inventory):
        return False
    head = label_map(tuple(labels), inventory)
    return not head.absent and not head.approximate


def _on_cuda(
    frames: Frames, log_probs: NDArray[np.float64], text: SpelledText
) -> NDArray[np.int64] | None:
    """The path by torchaudio on a graphics card; None where that cannot find it.

    It knows one sequence of labels, so a text with variants or words to skip is not for it.
    """
    labels = text.labels
    if labels is None or not has_gpu():
        return None
    import torch

    try:
        from torchaudio.functional import forced_align
    except (ImportError, OSError, AttributeError):
        return None
    needed = len(labels) + sum(a == b for a, b in pairwise(labels))
    if needed > len(frames):
        return None
    emissions = torch.as_tensor(log_probs[None], dtype=torch.float32, device="cuda")
    targets = torch.as_tensor([labels], dtype=torch.int32, device="cuda")
    path, _ = forced_align(emissions, targets, blank=0)
    return states_of(path[0].cpu().numpy(), text)


def states_of(path: NDArray[np.integer], text: SpelledText) -> NDArray[np.int64]:
    """States of a path that is given by its labels, `[T]`, for a text without variants.

    States alternate: a blank first, then every label and the blank behind it.
    """
    states = np.empty(len(path), dtype=np.int64)
    blank = (text.graph.column == 0).tolist()
    at, before = 0, 0
    for t, label in enumerate(path.tolist()):
        if label == 0:
            at += int(not blank[at])
        elif label != before:
            at += 1 if blank[at] else 2
        states[t] = at
        before = label
    return states
