"""A static page that hears learners by itself: the package, a pack and one file of HTML."""

from __future__ import annotations

import shutil
from pathlib import Path

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.browser.pack import refuse_taken, write_pack
from nativeear.speech.errors import InputError

PAGE = Path(__file__).with_name("demo.html")
OFFLINE = Path(__file__).with_name("offline.js")
PACKAGE_FILES = (
    "nativeear.js",
    "worker.js",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)


def write_demo(index: PhoneIndex, package: Path, out: Path) -> None:
    """Write the page into a folder for any static host.

    Parameters
    ----------
    index
        Who is heard against, see `write_pack`.
    package
        The folder `dist` of `nativeear-web`.
    out
        A folder that is not there yet.

    Raises
    ------
    InputError
        If the package is not built, or no pack can be made of the index.
    """
    check_package(package)
    refuse_taken(out)
    write_pack(index, out / "pack", clips=True)
    (out / "nativeear").mkdir()
    for name in PACKAGE_FILES:
        shutil.copyfile(package / name, out / "nativeear" / name)
    shutil.copyfile(PAGE, out / "index.html")
    shutil.copyfile(OFFLINE, out / OFFLINE.name)


def check_package(folder: Path) -> None:
    """Raise InputError if a folder does not hold `nativeear-web`, built."""
    missing = [name for name in PACKAGE_FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder} does not hold the package for pages.",
            cause=f"It lacks {', '.join(missing)}.",
            fix="Build it with `npm install && npm run build` in the folder web/.",
        )
