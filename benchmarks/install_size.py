"""What an installation weighs on the disk, and what weighs most in it.

    python -m benchmarks.install_size [--python PYTHON] [--top 20]

`--python` is the interpreter of a virtual environment; its own by default. Sizes are of the files
that each package installed, its compiled ones included, as blocks on the disk count them.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

from benchmarks.reporting import options_of, show

BLOCK = 512  # bytes of a unit of `st_blocks`
PLACE = "import sysconfig; print(sysconfig.get_path('purelib'))"


def weight(distribution: Distribution) -> float:
    """MB that a package takes on the disk."""
    files = {
        Path(str(distribution.locate_file(file))).resolve() for file in distribution.files or ()
    }
    return sum(file.stat().st_blocks * BLOCK for file in files if file.is_file()) / 1e6


def main() -> None:
    """Weigh and print."""
    parser = options_of(__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--top", type=int, default=20)
    options = parser.parse_args()
    place = subprocess.run(
        [options.python, "-c", PLACE], capture_output=True, text=True, check=True
    ).stdout.strip()
    found = sorted(
        ((weight(each), each.name, each.version) for each in distributions(path=[place])),
        reverse=True,
    )
    whole = sum(file.lstat().st_blocks for file in Path(place).rglob("*")) * BLOCK / 1e6
    rows = [(f"{name} {version}", f"{mb:.1f}") for mb, name, version in found[: options.top]]
    show(
        "",
        ("package", "MB"),
        [*rows, (f"all {len(found)}, as they lie in {place}", f"{whole:.0f}")],
    )


if __name__ == "__main__":
    main()
