"""Align by an encoder's own phone posteriors: the reading of a text that is known to be said.

Nothing is trained and nothing is decoded twice: the frames that retrieval uses carry the
posteriors, and natives of an index lie as learners who are assessed against it do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nativeear.speech.aligners.flatstart import no_room
from nativeear.speech.alignment import Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.errors import AlignmentError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import head_refusal, label_map, labels_refusal
from nativeear.speech.reading.head import read_by_head


class CtcAligner:
    """The best path through the posteriors of an encoder's phone CTC head.

    Parameters
    ----------
    inventory
        The phones of the language.
    """

    name = "ctc"
    needs_frames = True

    def __init__(self, inventory: PhoneInventory) -> None:
        self.inventory = inventory

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Align one recording by the posteriors in its frames.

        Raises
        ------
        AlignmentError
            If the frames have no phone posteriors, or too few frames for the text.
        """
        read = None
        if frames is not None:
            read = read_by_head(pronunciation, frames, self.inventory, audio.duration_s)
        if frames is None or read is None:
            raise AlignmentError(
                "The aligner ctc needs an encoder with a phone CTC head.",
                cause="" if frames is None else head_refusal(frames, self.inventory),
                fix="Choose such an encoder, or the aligner flatstart.",
            )
        if read.omitted:
            raise no_room(len(frames), frames.hop_s)
        return replace(read.alignment, aligner=self.name)


def load(language: str = "en-US", inventory: PhoneInventory | None = None) -> CtcAligner:
    """Make the aligner for a language's phones."""
    return CtcAligner(inventory or PhoneInventory.load(language))


def knows_all(labels: Sequence[str], inventory: PhoneInventory) -> bool:
    """Whether a head with these labels, blank first, tells every phone of an inventory."""
    if not labels or labels_refusal(labels, inventory):
        return False
    head = label_map(tuple(labels), inventory)
    return not head.absent and not head.approximate
