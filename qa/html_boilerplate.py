"""Takes out of a web page what is no part of its text: menus, bread crumbs, cookie notices, share buttons.

By what the page's author called them, and by how much of a block's text lies in links. Done here because what
trafilatura does takes 10 seconds a MB, leaves out prose too, and keeps the menus of short pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

LINKS_SHARE = 0.7
FEWEST_LINKS = 3
"""A block with so many links, in which so much of its text lies, is a menu, except in the page's main part."""
NAMED_LINKS_SHARE = 0.3
NAMED_CHARACTERS = 300
"""A block that is named like a menu is one if so much of it lies in links, or if it has no more than so much text."""
PROSE_CHARACTERS = 40
"""Outside of links; a page that would have no more left is a list of links, and stays as it is."""

_BLOCKS = frozenset("div ul ol dl section p table header center menu".split())
_ROLES = frozenset("navigation banner contentinfo search dialog alertdialog menu menubar tablist".split())
_NAMED = re.compile(
    r"(?<![a-z])(?:nav|navbar|navigation|menu|breadcrumbs?|cookies?|consent|gdpr|share|sharing|social|footer|foot|"
    r"sidebar|skip|pagination|pager|toolbar|advert|ads?|promo|newsletter|subscribe|related)(?![a-z])", re.IGNORECASE)
_MAIN = re.compile(r"(?<![a-z])(?:content|main|article|post|entry|body-?content|mw-content-text)(?![a-z])",
                   re.IGNORECASE)


@dataclass(slots=True)
class _Measure:
    """Characters of a node's text, of those in links, and how many links there are."""

    characters: int = 0
    linked: int = 0
    links: int = 0

    def add(self, other: _Measure) -> None:
        self.characters += other.characters
        self.linked += other.linked
        self.links += other.links

    @property
    def share(self) -> float:
        return self.linked / max(self.characters, 1)


def remove_boilerplate(body: LexborNode) -> None:
    """Change the tree of a page in place."""
    measures = _measured(body)
    named, menus = _found(body, measures)
    whole = measures[body.mem_id]
    left = whole.characters - whole.linked
    for node in named:
        left -= measures[node.mem_id].characters - measures[node.mem_id].linked
    for node in named:
        node.decompose()
    if left > PROSE_CHARACTERS:
        for node in menus:
            node.decompose()


def _measured(body: LexborNode) -> dict[int, _Measure]:
    """Of each element, by its `mem_id`; without recursion, for pages nest deep."""
    measures: dict[int, _Measure] = {body.mem_id: _Measure()}
    order: list[tuple[int, int]] = []
    stack = [(body, False)]
    while stack:
        node, in_link = stack.pop()
        own = measures[node.mem_id]
        for child in node.iter(include_text=True):
            if child.is_text_node:
                count = len((child.text_content or "").strip())
                own.add(_Measure(count, count if in_link else 0))
            elif child.is_element_node:
                is_link = child.tag == "a"
                measures[child.mem_id] = _Measure(links=int(is_link))
                order.append((child.mem_id, node.mem_id))
                stack.append((child, in_link or is_link))
    for child, parent in reversed(order):  # children come after their parents
        measures[parent].add(measures[child])
    return measures


def _found(body: LexborNode, measures: dict[int, _Measure]) -> tuple[list[LexborNode], list[LexborNode]]:
    """The outermost blocks that are named like boilerplate, and those that are told by their links."""
    named, menus = [], []
    most = measures[body.mem_id].characters / 2
    stack = [(body, False)]
    while stack:
        node, in_main = stack.pop()
        for child in node.iter():
            measure = measures.get(child.mem_id)
            if measure is None:
                continue
            name = f"{child.attributes.get('id') or ''} {child.attributes.get('class') or ''}"
            if child.tag in _BLOCKS and measure.characters <= most and _is_named(child, name, measure):
                named.append(child)
            elif child.tag in _BLOCKS and not in_main and _is_menu(measure):
                menus.append(child)
            else:
                is_main = child.tag in ("main", "article") or child.attributes.get("role") == "main"
                stack.append((child, in_main or is_main or _MAIN.search(name) is not None))
    return named, menus


def _is_named(node: LexborNode, name: str, measure: _Measure) -> bool:
    attributes = node.attributes
    if attributes.get("role") in _ROLES or attributes.get("aria-hidden") == "true" or "hidden" in attributes:
        return True
    is_slight = measure.share >= NAMED_LINKS_SHARE or measure.characters <= NAMED_CHARACTERS
    return is_slight and _NAMED.search(name) is not None


def _is_menu(measure: _Measure) -> bool:
    return measure.links >= FEWEST_LINKS and measure.share >= LINKS_SHARE
