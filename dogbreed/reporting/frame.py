"""What every page has: one HTML file that needs no other file, no server and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dogbreed.reporting import run_wording, wording
from dogbreed.reporting.embedding import FOLDER, content_security_policy, embedded_json, page_scripts, style_sheet
from dogbreed.reporting.outline import Part
from dogbreed.reporting.palette import DARK, LIGHT, css_variables, dark_by_light

FILTERS = {
    wording: ("percent", "number", "rate", "value", "interval", "gain", "photos", "share_with_interval"),
    run_wording: ("quantity", "duration", "memory", "steps", "shape"),
}


def framed(
    template: str,
    *,
    title: str,
    summary: str,
    parts: Sequence[Part],
    figures: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
    kind: str = "report",
    **given: Any,
) -> str:
    """A page, the same text for the same arguments.

    Args:
        template: TEMPLATE.html.jinja, which extends the frame.
        title: of the page.
        summary: a sentence below the title; nothing where it is empty.
        parts: of the page, in their order.
        figures: of Plotly, by the name that their box on the page has.
        data: what else the scripts of the page are told.
        kind: whose style and scripts the page has beside those of all pages.
        given: what the templates of the parts are told.
    """
    scripts = page_scripts(kind)
    html = (
        _environment()
        .get_template(f"{template}.html.jinja")
        .render(
            title=title,
            summary=summary,
            parts=parts,
            figures=figures,
            data=embedded_json({"figures": figures, "dark": dark_by_light(), **(data or {})}),
            policy=content_security_policy(scripts),
            scripts=scripts,
            style=style_sheet(kind),
            light=css_variables(LIGHT),
            dark=css_variables(DARK),
            **given,
        )
    )
    # Names of files that are not UTF-8 have letters that no encoding can write.
    return html.encode("utf-8", "replace").decode("utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(module, name) for module, names in FILTERS.items() for name in names}
    return environment
