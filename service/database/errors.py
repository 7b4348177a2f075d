"""What a database refuses or fails at."""

from __future__ import annotations

from nativeear.speech.errors import NativeEarError


class StorageError(NativeEarError):
    """The database cannot be reached, read or written."""

    code = "storage"


class DiskFullError(StorageError):
    """There is no space left for the database; what is stored can be read, and deleted."""


class NotFoundError(NativeEarError):
    """Nothing is kept under that name, or it belongs to another key."""

    code = "not-found"


class ConflictError(NativeEarError):
    """It contradicts what is kept already."""

    code = "conflict"


class ReusedKeyError(NativeEarError):
    """An idempotency key came with another request than the first time."""

    code = "idempotency-key-reused"


class AuthenticationError(NativeEarError):
    """A key is unknown, revoked or expired."""

    code = "not-authenticated"
