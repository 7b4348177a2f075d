"""`nativeear mcp`: tools for language models."""

from __future__ import annotations

from nativeear.service.commands.options import IndexName


def mcp(*, index: IndexName = None) -> None:
    """Serve assess, explain and practise as tools for language models, on standard input/output.

    Recordings are files of this machine and stay on it; the client's model is told the results.
    """
    from nativeear.service.index_choice import choose_index
    from nativeear.service.mcp_server import create_server

    create_server(choose_index(index, None)).run()
