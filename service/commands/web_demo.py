"""`nativeear web-demo`: a static page that hears learners by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands.options import Index


def web_demo(
    name: Index,
    *,
    package: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder dist of nativeear-web, built.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write.")],
) -> None:
    """Write a page with all that it needs: nothing that is said leaves the device."""
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.phone_index import PhoneIndex
    from nativeear.service.browser.demo import write_demo

    write_demo(PhoneIndex.open(find_index(name)), package, out)
    print(f"{out / 'index.html'}: try it with `python -m http.server --directory {out}`.")
