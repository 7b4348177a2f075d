"""What a service gives its page so that it hears on the device: packs, and the package."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from nativeear.indexes.catalogue import find_index, list_indexes
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.api.settings import InBrowser
from nativeear.service.browser.demo import check_package
from nativeear.service.browser.pack import FORMAT_VERSION, PACK, obstacle, write_pack
from nativeear.service.version import RELEASE
from nativeear.speech.errors import InputError
from nativeear.speech.user_data import data_folder

PLACE = "/in-browser"
"""Where a service offers it; what the page has there by itself says that nothing is offered."""

FOR_EVER = "public, max-age=31536000, immutable"


def offer(names: Iterable[str], package: Path, folder: Path | None = None) -> InBrowser:
    """Make what is not there yet; packs are kept for the next start.

    Parameters
    ----------
    names
        Indexes that the service offers; all of the catalogue if there are none. Those that no page
        can judge by are left out.
    package
        The folder `dist` of `nativeear-web`.
    folder
        Where packs are kept; in the user's data folder if None.

    Raises
    ------
    InputError
        If the package is not built, or a page can judge by none of the indexes.
    """
    check_package(package)
    folder = folder or data_folder() / "packs"
    folder.mkdir(parents=True, exist_ok=True)
    packs: dict[str, Path] = {}
    obstacles = []
    for name in tuple(names) or tuple(summary.name for summary in list_indexes()):
        index = PhoneIndex.open(find_index(name))
        if cause := obstacle(index):
            obstacles.append(f"{name}: {cause}")
            continue
        made_of = f"{index.manifest.seal} {FORMAT_VERSION} {RELEASE}"
        packs[name] = folder / f"{name}-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
        if not packs[name].is_dir():
            write_pack(index, packs[name])
    if not packs:
        raise InputError(
            "No index of this service can be heard by in a page.",
            cause=" ".join(obstacles),
            fix="Offer en-US, or leave --in-browser out.",
        )
    return InBrowser(package, packs)


def mount(offered: InBrowser) -> Mount:
    """The routes below `PLACE`."""
    told = {name: f"packs/{folder.name}/" for name, folder in offered.packs.items()}

    async def tell(_: object) -> Response:
        return JSONResponse({"packs": told})

    packs = [
        Mount(f"/packs/{folder.name}", _Kept(directory=folder)) for folder in offered.packs.values()
    ]
    return Mount(
        PLACE,
        routes=[
            Route("/offer.json", tell),
            *packs,
            Mount("/nativeear", StaticFiles(directory=offered.package)),
        ],
    )


class _Kept(StaticFiles):
    """Files of a pack, in ranges if so asked: all but `pack.json` are named by what is in them."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """A file as it is, and how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        if Path(full_path).name != PACK:
            response.headers["cache-control"] = FOR_EVER
            response.headers["content-type"] = "application/octet-stream"
        return response
