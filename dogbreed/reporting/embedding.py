"""What makes the page safe to open: data that cannot end its script, and a policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

FOLDER = Path(__file__).parent


def embedded_json(data: Any) -> Markup:
    r"""JSON for the inside of a script element; figures of Plotly may be anywhere in it.

    >>> embedded_json({"name": "</script>"})
    Markup('{"name":"\\u003c/script\\u003e"}')
    """
    from plotly.utils import PlotlyJSONEncoder

    return htmlsafe_json_dumps(data, dumps=partial(json.dumps, cls=PlotlyJSONEncoder, separators=(",", ":")))


def style_sheet(kind: str = "report") -> Markup:
    """The files of `style/`, and those of its folder for a kind of page, in the order of their names."""
    return Markup("\n").join(_files("style", kind, "*.css"))


def page_scripts(kind: str = "report") -> list[Markup]:
    """The page's own scripts: what must run before anything is shown, Plotly, and the rest.

    They are files of this package, without a word of the report in them: `Markup` is no risk.

    Args:
        kind: a folder of `scripts/`; its files run among those of all pages, in the order of their names.
    """
    from plotly.offline import get_plotlyjs

    early, *others = _files("scripts", kind, "*.js")
    return [early, Markup(get_plotlyjs()), Markup("\n").join(others)]  # noqa: S704


def content_security_policy(scripts: Iterable[str]) -> str:
    """Only these scripts run, by their hashes; only images that are in the page are shown; nothing is fetched."""
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    # Plotly makes style elements and attributes as it draws.
    styles = "style-src 'unsafe-inline'"
    return f"default-src 'none'; script-src {hashes}; {styles}; img-src data:; base-uri 'none'; form-action 'none'"


def _files(folder: str, kind: str, pattern: str) -> list[Markup]:
    folders = (FOLDER / folder, FOLDER / folder / kind)
    paths = sorted((path for place in folders for path in place.glob(pattern)), key=lambda path: path.name)
    return [Markup(path.read_text(encoding="utf-8").strip()) for path in paths]  # noqa: S704


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
