"""The encoder of an index, found on this machine: of one ear, of two, or with a head of its own."""

from __future__ import annotations

from nativeear.indexes.manifest import EarIdentity, EncoderIdentity
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.encoders.catalogue import Arithmetic, Dtype, load_encoder, split_pair
from nativeear.speech.encoders.fitted_head import FITTED, FittedHead, WithFittedHead
from nativeear.speech.encoders.model_folders import find, portable_name
from nativeear.speech.encoders.paired import PairedEncoder
from nativeear.speech.frames import Encoder


def open_encoder(index: PhoneIndex, name: str | None = None) -> Encoder:
    """Open what built an index, in the arithmetic that the index names or its own choice.

    Parameters
    ----------
    name
        The encoder, such as the folder where its model lies here; of two ears both as `EAR+HEAD`,
        or the first alone. It is looked for if None, see `speech.encoders.model_folders.find`.

    Raises
    ------
    EncoderError
        If it is nowhere, or the index's head cannot be read.
    """
    identity = index.manifest.encoder
    dtype: Dtype = "auto" if identity.dtype == "float32" else identity.dtype
    if not identity.ears:
        if name is not None:
            return load_encoder(name, layer=identity.layer, dtype=dtype)
        return find(identity.name, identity.fingerprint, layer=identity.layer, dtype=dtype)
    ear, head = identity.ears
    if name is not None and split_pair(name) is not None:
        return load_encoder(name, layer=identity.layer, dtype=dtype)
    if name is None:
        first = find(ear.name, ear.fingerprint, layer=identity.layer, dtype=dtype)
    else:
        first = load_encoder(name, layer=identity.layer, dtype=dtype)
    if index.head is not None:
        return with_own_head(index, first)
    return PairedEncoder(first, find(head.name, head.fingerprint, dtype=dtype))


def with_own_head(index: PhoneIndex, encoder: Encoder) -> Encoder:
    """An encoder with the phone head that lies in an index, where one does."""
    return encoder if index.head is None else WithFittedHead(encoder, FittedHead.load(index.head))


def identity_of(
    encoder: Encoder, *, layer: int | None, dtype: Arithmetic, head: FittedHead | None = None
) -> EncoderIdentity:
    """What an index says of the encoder that builds it, and of the head fitted for it, if one was.

    Parameters
    ----------
    layer, dtype
        What `encoder` was opened with.
    """
    ears: tuple[EarIdentity, ...] = ()
    if head is not None:
        own = EarIdentity(name=portable_name(encoder.name), fingerprint=encoder.fingerprint)
        ears = (own, EarIdentity(name=FITTED, fingerprint=head.fingerprint))
        encoder = WithFittedHead(encoder, head)
    elif isinstance(encoder, PairedEncoder):
        ears = tuple(
            EarIdentity(name=portable_name(ear.name), fingerprint=ear.fingerprint)
            for ear in encoder.ears
        )
    return EncoderIdentity(
        name="+".join(ear.name for ear in ears) or portable_name(encoder.name),
        layer=layer,
        fingerprint=encoder.fingerprint,
        dim=encoder.dim,
        dtype=dtype,
        ears=ears,
    )


def name_here(identity: EncoderIdentity, given: str | None = None) -> str:
    """What `load_encoder` opens the encoder by on this machine, without a head of the index's own.

    Parameters
    ----------
    given
        As `name` of `open_encoder`.

    Raises
    ------
    EncoderError
        If it is nowhere.
    """
    layer, dtype = identity.layer, identity.dtype
    if not identity.ears:
        return given or find(identity.name, identity.fingerprint, layer=layer, dtype=dtype).name
    ear, head = identity.ears
    if given is not None and split_pair(given) is not None:
        return given
    first = given or find(ear.name, ear.fingerprint, layer=layer, dtype=dtype).name
    if head.name == FITTED:
        return first
    return f"{first}+{find(head.name, head.fingerprint, dtype=dtype).name}"
