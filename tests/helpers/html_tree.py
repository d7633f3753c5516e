"""A page as a tree of elements, for tests that ask what stands where."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree.ElementTree import Element, TreeBuilder

VOID = frozenset({"meta", "img", "br", "link", "input", "hr"})


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tree = TreeBuilder()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tree.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.tree.end(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tree.start(tag, {name: value or "" for name, value in attrs})
        self.tree.end(tag)

    def handle_endtag(self, tag: str) -> None:
        self.tree.end(tag)

    def handle_data(self, data: str) -> None:
        self.tree.data(data)


def tree_of(page: str) -> Element:
    """The page's <html>. Tags must be closed."""
    builder = _Builder()
    builder.feed(page[page.index("<html") :])
    builder.close()
    return builder.tree.close()


def having(tree: Element, tag: str, name: str) -> list[Element]:
    """Elements of a tag with this class among theirs."""
    return [element for element in tree.iter(tag) if name in element.get("class", "").split()]


def text_of(element: Element) -> str:
    """Its words, with single spaces."""
    return " ".join("".join(element.itertext()).split())
