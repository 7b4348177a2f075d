"""The encoders that have a name, and at which layer each family of models is read."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT = "compact"
"""What the name `default` stands for: the encoder that comes with NativeEar."""

ALIASES = {"default": DEFAULT, "xlsr-espeak": "wav2vec2-espeak"}
"""Other names of encoders."""

# Embeddings of phones are best at upper-middle layers: the share of the depth at which each
# family is read. Models that only predict masked sound (wav2vec2) turn back to acoustics earlier.
LAYER_SHARES = {
    "hubert": 3 / 4,
    "wavlm": 3 / 4,
    "wav2vec2": 2 / 3,
    "wav2vec2-bert": 2 / 3,
    "whisper": 5 / 6,
}


@dataclass(frozen=True)
class EncoderInfo:
    """What is known of an encoder without opening it.

    Attributes
    ----------
    name
        How people name it.
    kind
        Name of its loader: `spectral`, `transformers`, or one that a plugin registered.
    source
        Hub id or folder of the weights; empty where there are none.
    dim
        Width D of the embeddings; None where not known.
    layers
        Number of transformer layers; None where there are none or it is not known. Layer 0 is
        what enters the first.
    default_layer
        The layer that is read unless another is asked for.
    licence
        Licence of the weights as published; empty where not known.
    phones
        Whether frames bring `log_probs` of a phone CTC head; None where not known.
    local
        Whether it opens on this machine without a network.
    note
        What it is, in a few words.
    """

    name: str
    kind: str
    source: str = ""
    dim: int | None = None
    layers: int | None = None
    default_layer: int | None = None
    licence: str = ""
    phones: bool | None = None
    local: bool = False
    note: str = ""


_SPECTRAL = EncoderInfo(
    name="spectral",
    kind="spectral",
    dim=240,
    licence="Apache-2.0",
    phones=False,
    local=True,
    note="log-mel spectra with 150 ms of context; no weights, always here",
)

_COMPACT = EncoderInfo(
    name="compact",
    kind="compact",
    dim=512,
    layers=6,
    default_layer=6,
    licence="Apache-2.0; learnt from CC BY 4.0 and CC BY-SA 3.0 speech",
    phones=True,
    local=True,
    note="ships with NativeEar: six Whisper layers with a phone CTC head, English",
)

# name, hub id, family, D, layers, licence, phone CTC head, note
_HUB = (
    ("hubert-large", "facebook/hubert-large-ls960-ft", "hubert", 1024, 24, "Apache-2.0", False,
     "HuBERT-Large fine-tuned on 960 h of English"),
    ("hubert-base", "facebook/hubert-base-ls960", "hubert", 768, 12, "Apache-2.0", False,
     "HuBERT-Base, English"),
    ("wavlm-large", "microsoft/wavlm-large", "wavlm", 1024, 24, "CC-BY-SA-3.0", False,
     "WavLM-Large, 94,000 h of English"),
    ("wavlm-base-plus", "microsoft/wavlm-base-plus", "wavlm", 768, 12, "CC-BY-SA-3.0", False,
     "WavLM-Base+, 94,000 h of English"),
    ("wav2vec2-espeak", "facebook/wav2vec2-xlsr-53-espeak-cv-ft", "wav2vec2", 1024, 24,
     "Apache-2.0", True, "XLSR-53 with a CTC head for espeak's IPA, many languages"),
    ("xls-r-300m", "facebook/wav2vec2-xls-r-300m", "wav2vec2", 1024, 24, "Apache-2.0", False,
     "XLS-R, 128 languages"),
    ("w2v-bert-2", "facebook/w2v-bert-2.0", "wav2vec2-bert", 1024, 24, "MIT", False,
     "w2v-BERT 2.0, 143 languages"),
    ("whisper-base", "openai/whisper-base", "whisper", 512, 6, "Apache-2.0", False,
     "encoder of Whisper base, 99 languages"),
    ("whisper-small", "openai/whisper-small", "whisper", 768, 12, "Apache-2.0", False,
     "encoder of Whisper small, 99 languages"),
)  # fmt: skip


def default_layer(family: str, layers: int) -> int:
    """Layer to read of a model of `layers` layers; `family` is the `model_type` of its config."""
    return round(LAYER_SHARES[family] * layers)


NAMED = (
    _COMPACT,
    _SPECTRAL,
    *(
        EncoderInfo(
            name=name,
            kind="transformers",
            source=source,
            dim=dim,
            layers=layers,
            default_layer=default_layer(family, layers),
            licence=licence,
            phones=phones,
            note=note,
        )
        for name, source, family, dim, layers, licence, phones, note in _HUB
    ),
)
