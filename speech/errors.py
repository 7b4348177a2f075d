"""The one family of errors that NativeEar raises on purpose.

::

    NativeEarError
    ├── InputError                  an argument or a file's content is not usable
    │   ├── AudioError              a recording was refused
    │   ├── PhoneError              a phone label is not known to the inventory
    │   ├── PronunciationError      a word has no pronunciation
    │   └── CorpusError             a corpus cannot be read
    ├── AlignmentError              the phones could not be laid on the recording
    ├── EncoderError                an encoder cannot be loaded or run
    ├── IndexFormatError            an index folder is damaged, foreign or of another version
    ├── ConformanceError            a plug-in does not keep to its protocol
    └── MissingDependencyError      something optional has to be installed first

Each carries a plain sentence (`str(error)`), the `cause` behind it and the `fix` that a person
can carry out. The command line prints the three and exits 2; the service answers with them.
"""

from __future__ import annotations


class NativeEarError(Exception):
    """Any error that NativeEar raises on purpose.

    `message` is one plain sentence; `cause` and `fix` may be empty.
    """

    code = "nativeear-error"

    def __init__(self, message: str, *, cause: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments would be lost on the way back from a worker process.
        return (_rebuild, (type(self), self.message, self.cause, self.fix))


def _rebuild(kind: type[NativeEarError], message: str, cause: str, fix: str) -> NativeEarError:
    return kind(message, cause=cause, fix=fix)


class InputError(NativeEarError):
    """An argument, or the content of a file, is not usable."""

    code = "bad-input"


class AudioError(InputError):
    """A recording was refused."""

    code = "bad-audio"


class PhoneError(InputError):
    """A phone label is not known to the inventory."""

    code = "unknown-phone"


class PronunciationError(InputError):
    """A word has no pronunciation."""

    code = "no-pronunciation"


class CorpusError(InputError):
    """A corpus, or one line of it, cannot be read."""

    code = "bad-corpus"


class AlignmentError(NativeEarError):
    """The canonical phones could not be laid on the recording."""

    code = "no-alignment"


class EncoderError(NativeEarError):
    """An encoder cannot be loaded or run."""

    code = "bad-encoder"


class IndexFormatError(NativeEarError):
    """An index folder is damaged, foreign, or of a version that this release cannot read."""

    code = "bad-index"


class ConformanceError(NativeEarError):
    """A plug-in does not keep to its protocol, see `speech.testing`."""

    code = "conformance"


class MissingDependencyError(NativeEarError):
    """Something optional has to be installed first."""

    code = "missing-dependency"
