"""A text read by the posteriors of an encoder's phone head."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from nativeear.speech.aligners.frame_scores import frame_edges_s
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import head_refusal, label_map
from nativeear.speech.reading.match import BY_HEAD, ReadingModel
from nativeear.speech.reading.reading import Reading, phone_distances, read_text


def read_by_head(
    pronunciation: Pronunciation,
    frames: Frames,
    inventory: PhoneInventory,
    duration_s: float,
    *,
    whole: bool = False,
    said: Collection[int] = (),
) -> Reading | None:
    """Read a recording by the phone posteriors in its frames; None where they have none.

    Parameters
    ----------
    pronunciation
        The text.
    frames, duration_s
        The recording and its length in seconds.
    inventory
        The phones of the language.
    whole
        Whether every word is known to be there once, so that forms alone are to be found.
    said
        Indices of words that are known to be there.
    """
    if frames.log_probs is None or head_refusal(frames, inventory):
        return None
    head = label_map(frames.labels, inventory)
    return read_text(
        pronunciation,
        head.pool(frames.log_probs),
        columns=head.columns,
        spelling=head.spelling,
        edges_s=frame_edges_s(frames, duration_s),
        distances=phone_distances(tuple(head.columns), inventory),
        model=of_whole(BY_HEAD) if whole else BY_HEAD,
        said=said,
    )


def of_whole(model: ReadingModel) -> ReadingModel:
    """The same for recordings in which every word was read once."""
    return replace(model, costs=model.costs.forbidding())
