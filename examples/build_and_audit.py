"""Build an index from a folder of recordings with TextGrids, and ask it what it cannot hear.

    python examples/build_and_audit.py CORPUS OUT [ENCODER]

CORPUS holds `speaker/utterance.wav` beside `speaker/utterance.TextGrid`; OUT must not exist.
"""

import sys
from pathlib import Path

import nativeear


def main(corpus: str, out: str, encoder: str = "default") -> None:
    """Build and audit, and print the phones that an assessment would not judge."""
    nativeear.build_index(
        nativeear.BuildRequest(corpora=(corpus,), language="en-US", out=Path(out), encoder=encoder)
    )
    index = nativeear.PhoneIndex.open(Path(out))
    counts = index.manifest.counts
    print(f"{counts.spoken} phones of {counts.speakers} speakers, {counts.audio_s:.0f} s")
    held = nativeear.audit(index).coverage.phones
    print("judged:", *[phone.phone for phone in held if phone.judged])
    print("not judged:", *[phone.phone for phone in held if not phone.judged])


if __name__ == "__main__":
    main(*sys.argv[1:])
