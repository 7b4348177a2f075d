"""How far into a text a recording has come that is still going on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nativeear.speech.aligners.graphs import spell_ctc
from nativeear.speech.aligners.viterbi import best_path
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import head_refusal, label_map


@dataclass(frozen=True)
class ReachedWord:
    """A word that was said, and what follows it.

    Attributes
    ----------
    phones
        Its variant that fits best.
    end_s
        Where its last phone ends, in seconds.
    next_s
        Where the next word begins; None where nothing of it was said yet.
    """

    phones: tuple[str, ...]
    end_s: float
    next_s: float | None


def words_reached(
    frames: Frames, pronunciation: Pronunciation, inventory: PhoneInventory
) -> tuple[ReachedWord, ...]:
    """The words of a text up to the place that a recording has come to, the last one unfinished.

    The best CTC path through the text may end anywhere in it. Without posteriors of a phone head
    that knows the inventory, no word is known to be reached.
    """
    if frames.log_probs is None or head_refusal(frames, inventory):
        return ()
    head = label_map(frames.labels, inventory)
    text = spell_ctc(pronunciation, head.spelling)
    anywhere = replace(text.graph, last=np.ones(len(text.graph), dtype=bool))
    path = best_path(anywhere, head.pool(frames.log_probs))
    if path is None:
        return ()
    owner = text.graph.phone[path.states]
    spoken = np.flatnonzero(owner >= 0)
    spans: dict[int, tuple[int, int, int]] = {}
    for frame in spoken.tolist():
        said = text.phones[owner[frame]]
        first = spans.get(said.word, (frame, frame, 0))[0]
        spans[said.word] = (first, frame, said.variant)
    half_s = frames.hop_s / 2
    times_s = frames.times_s
    return tuple(
        ReachedWord(
            phones=pronunciation.words[word].variants[variant].phones,
            end_s=float(times_s[last] + half_s),
            next_s=float(times_s[spans[word + 1][0]] - half_s) if word + 1 in spans else None,
        )
        for word, (_, last, variant) in sorted(spans.items())
    )
