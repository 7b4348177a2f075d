"""HTML and SVG elements whose text is escaped unless it says that it is markup."""

from __future__ import annotations

from html import escape


class Markup(str):
    """Text that is HTML already; every other `str` is escaped where it is put into an element."""

    __slots__ = ()


Attribute = str | float | bool | None

_VOID = frozenset({"br", "hr", "img"})


def element(tag: str, *children: str | None, **attributes: Attribute) -> Markup:
    """Make an element.

    Parameters
    ----------
    tag
        Its name.
    children
        Text, which is escaped, or `Markup`; None is left out.
    attributes
        `class_` stands for `class` and `_` for `-`. None and False are left out, True gives a
        bare attribute, and floats are written with at most three decimals.
    """
    written = "".join(
        f" {_name(name)}" if value is True else f' {_name(name)}="{escape(_text(value))}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{joined(*children)}</{tag}>")


def joined(*children: str | None) -> Markup:
    """Put text and markup one after the other."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escape(child)
            for child in children
            if child is not None
        )
    )


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.3f}".rstrip("0").rstrip(".")
