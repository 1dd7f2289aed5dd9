"""A page as a browser would read it: its elements, and the words of its sections."""

from __future__ import annotations

import json
from collections import defaultdict
from html.parser import HTMLParser
from typing import Any

Attributes = dict[str, str | None]


class ParsedPage(HTMLParser):
    """`elements` are tags with attributes, `words` the text of each section, `scripts` what stands in scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.words: dict[str, str] = defaultdict(str)
        self.scripts: list[str] = []
        self.styles = ""
        self._section, self._silent = "", ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag == "section" or attributes.get("class") == "missing":
            self._section = attributes["id"] or ""
        if tag in ("script", "style"):
            self._silent = tag
            self.scripts += [""] if tag == "script" else []

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        if tag in ("section", "main"):
            self._section = ""

    def handle_data(self, data: str) -> None:
        if self._silent == "script":
            self.scripts[-1] += data
        elif self._silent == "style":
            self.styles += data
        else:
            self._add_words(data.split())

    def _add_words(self, words: list[str]) -> None:
        if words:
            self.words[self._section] = " ".join([*self.words[self._section].split(), *words])

    @property
    def sections(self) -> list[str]:
        return [attributes["id"] or "" for tag, attributes in self.elements if tag == "section"]

    @property
    def data(self) -> dict[str, Any]:
        """What the figures are drawn from."""
        place = [attributes for tag, attributes in self.elements if tag == "script"].index(
            {"type": "application/json", "id": "report-data"}
        )
        data: dict[str, Any] = json.loads(self.scripts[place])
        return data

    def tags(self, name: str, **wanted: str) -> list[Attributes]:
        """The attributes of the elements of a name that have the wanted ones."""
        found = [attributes for tag, attributes in self.elements if tag == name]
        return [attributes for attributes in found if wanted.items() <= attributes.items()]
