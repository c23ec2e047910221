# SPDX-License-Identifier: GPL-2.0-only
"""HTML from Python: text is always escaped, only `Markup` goes in as it is.

Whatever a spec says is made visible first (control characters, marks that turn the direction of text), so it reads the
same in a browser as in an editor, and stays text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kvmcheck.render.plain import visible

#: What a page's data is made of.
Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]

#: Elements without content.
_VOID = frozenset({"meta", "input", "link", "br", "hr"})
#: In a script these could end it, or begin a comment in it; in JSON they may be written as escapes.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that is meant as such."""

    text: str


Child = str | Markup


def element(name: str, *children: Child, **attributes: str | bool) -> Markup:
    """An element.  Attributes: `class_` is `class`, `aria_label` is `aria-label`; False is left out, True has no value.

    >>> element("p", "1 < 2", class_="x").text
    '<p class="x">1 &lt; 2</p>'
    """
    said = "".join(_attribute(key, value) for key, value in attributes.items() if value is not False)
    if name in _VOID:
        return Markup(f"<{name}{said}>")
    return Markup(f"<{name}{said}>{joined(children).text}</{name}>")


def joined(children: Sequence[Child], between: str = "") -> Markup:
    """Several pieces one after the other."""
    return Markup(html.escape(between).join(_written(child) for child in children))


def verbatim(name: str, content: str, **attributes: str | bool) -> Markup:
    """A `style` or `script`: its content is written as it is; raises `ValueError` if that would end it."""
    if f"</{name}" in content.lower() or "<!--" in content:
        raise ValueError(f"a {name} that ends itself")
    said = "".join(_attribute(key, value) for key, value in attributes.items() if value is not False)
    return Markup(f"<{name}{said}>{content}</{name}>")


def hash_source(content: str) -> str:
    """How a content security policy names an inline style or script."""
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def json_text(value: Json) -> str:
    """JSON in ASCII that can stand in a `script` element, whatever its strings are.

    >>> json_text(["</script>"])
    '["\\\\u003c/script\\\\u003e"]'
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return "".join(_ESCAPES.get(sign, sign) for sign in text) if set(_ESCAPES) & set(text) else text


def _attribute(key: str, value: str | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(visible(str(value)))}"'


def _written(child: Child) -> str:
    return child.text if isinstance(child, Markup) else html.escape(visible(child))
