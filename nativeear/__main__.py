"""The command `nativeear`, which `python -m nativeear` is, too."""

from __future__ import annotations

import sys

from nativeear.speech.errors import MissingDependencyError
from nativeear.speech.extras import needing
from nativeear.speech.threads import one_blas_thread

BAD_INPUT = 2
INTERRUPTED = 130


def main() -> None:
    """Run the command line, or say what it lacks where NativeEar is only a client."""
    one_blas_thread()
    try:
        with needing(None, "The command line"):
            from nativeear.service.cli import main as run
        run()
    except MissingDependencyError as error:
        print(f"Error: {error.message}\nFix: {error.fix}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:  # before a command took over
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
