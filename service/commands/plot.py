"""`nativeear plot`: pitch and intensity over the words, as PNG or SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands.options import EncoderOfIndex, IndexName, Language


def plot(
    *,
    audio: Annotated[Path, typer.Argument(metavar="AUDIO", help="The recording.")],
    text: Annotated[str, typer.Option(help="What was read.")],
    out: Annotated[Path, typer.Option(metavar="F.png|svg", help="The picture.")],
    lang: Language = None,
    index: IndexName = None,
    encoder: EncoderOfIndex = None,
) -> None:
    """Draw pitch and intensity over the words, and a native's pitch where the index has one.

    The native's is drawn where the index holds a reading of the same words.
    """
    from nativeear.service.prosody_plot import check_picture, plot_prosody

    check_picture(out)

    import nativeear
    from nativeear.service.index_choice import choose_index
    from nativeear.speech.audio import Audio

    recording = Audio.load(audio)  # refused, if at all, before anything slow is loaded
    result = nativeear.load(choose_index(index, lang), encoder=encoder).assess(
        recording, text, id=audio.stem
    )
    plot_prosody(result, out)
