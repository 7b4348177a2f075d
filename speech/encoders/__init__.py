"""Encoders: from a recording to frames. Importing this package loads neither torch nor models."""

from __future__ import annotations

from nativeear.speech.encoders.catalogue import describe, fetch, list_encoders, load_encoder
from nativeear.speech.encoders.named import DEFAULT, EncoderInfo

__all__ = ["DEFAULT", "EncoderInfo", "describe", "fetch", "list_encoders", "load_encoder"]
