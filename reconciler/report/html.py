"""A plan as one HTML page that needs nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files

from reconciler.errors import plural
from reconciler.model.plan import Action, Plan, Refusal
from reconciler.report.escape import PROSE_LIMIT, html_text
from reconciler.report.html_table import changes_tables, place_link
from reconciler.report.svg import CLASSES, plan_svg
from reconciler.report.view import (
    SIGNS,
    Links,
    headline,
    no_links,
    object_names,
    object_types,
    way_out,
)

MOST_BYTES = 1 << 20
"""Changes whose tables take most of this are shown with shorter names and reasons."""

_FILES = 200


def plan_html(plan: Plan, *, digest: str, links: Links = no_links) -> str:
    """The whole page. It works without scripts, too; they add filters and highlights.

    `links` gives the URL of a file's line, None where the host of the files is not known.
    """
    style, script = asset("report.css"), asset("report.js")
    title = f"{html_text(plan.portal.name)}: {headline(plan)}"
    before = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        f'<title>{title}</title>\n<link rel="icon" href="data:,">',
        f"<style>{style}</style>\n</head>\n<body>",
        '<a class="skip" href="#changes">Skip to the changes</a>',
        *_header(plan),
        "<main>",
        *_notices(plan, links),
        *_picture(plan),
        *_filters(plan),
    ]
    after = ["</main>", *_footer(plan, digest), f"<script>{script}</script>\n</body>\n</html>"]
    room = MOST_BYTES - sum(len(line.encode()) + 1 for line in (*before, *after))
    return "\n".join([*before, *_changes(plan, links, room), *after])


@cache
def asset(name: str) -> str:
    """A style sheet or script that goes into the page."""
    return files("reconciler.report").joinpath("assets", name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded, and no style or script runs but the page's own."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


# ---------------------------------------------------------------- above the changes


def _header(plan: Plan) -> Iterator[str]:
    portal = plan.portal
    yield '<header>\n<p class="eyebrow">Plan of association limits</p>'
    yield f"<h1><bdi>{html_text(portal.name)}</bdi></h1>"
    yield f'<p class="headline">{headline(plan)}</p>'
    facts = {
        "Portal": str(portal.portal_id),
        "Account type": str(portal.account_type),
        "API version": portal.api_version,
        "Made": plan.created_at,
    }
    yield f'<dl class="facts">{_facts(facts)}</dl>\n<ul class="counts">'
    yield from (_count(*each) for each in _counts(plan))
    yield "</ul>\n</header>"


def _facts(facts: dict[str, str]) -> str:
    return "".join(
        f"<div><dt>{name}</dt><dd>{html_text(value)}</dd></div>" for name, value in facts.items()
    )


def _counts(plan: Plan) -> Iterator[tuple[str, int, str]]:
    summary = plan.summary
    yield CLASSES[Action.CREATE], summary.create, "to create"
    yield CLASSES[Action.UPDATE], summary.update, "to update"
    yield CLASSES[Action.DELETE], summary.delete, "to delete"
    yield "", summary.unchanged, "unchanged"
    yield "", summary.unmanaged, "unmanaged, left alone"


def _count(kind: str, count: int, words: str) -> str:
    zero = "" if count else " zero"
    return f'<li class="{kind}{zero}"><b>{count:,}</b> {words}</li>'


def _notices(plan: Plan, links: Links) -> Iterator[str]:
    if plan.refusals:
        items = []
        for refusal in plan.refusals:
            where = "" if refusal.source is None else f" ({place_link(refusal.source, links)})"
            items.append(f"{html_text(refusal.message, PROSE_LIMIT)}{where}. {_way_out(refusal)}.")
        yield _notice("bad", "Apply will refuse this plan", items)
    if plan.warnings:
        yield _notice("", "Warnings", [html_text(each, PROSE_LIMIT) for each in plan.warnings])


def _way_out(refusal: Refusal) -> str:
    return re.sub("`([^`]*)`", r"<code>\1</code>", way_out(refusal))


def _notice(kind: str, title: str, items: Iterable[str]) -> str:
    lines = "".join(f"<li><bdi>{item}</bdi></li>" for item in items)
    name = kind or "warnings"
    return (
        f'<section class="notice {kind}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title">{title}</h2><ul>{lines}</ul></section>'
    )


# ---------------------------------------------------------------- picture and filters

_LEGEND = {
    Action.CREATE: "create: a thin line",
    Action.UPDATE: "update: a thick line",
    Action.DELETE: "delete: a dashed line",
}


def _picture(plan: Plan) -> Iterator[str]:
    picture = plan_svg(plan)
    if not picture:
        return
    yield '<figure aria-labelledby="picture-title"><h2 id="picture-title">Data model</h2>'
    yield (
        "<figcaption>The object types whose limits change, and the changes on the arrows between "
        "them. An arrow leads to its table.</figcaption>"
    )
    yield (
        '<div class="scroll" tabindex="0" role="region" aria-label="Picture, scrollable">'
        f"{picture}</div>"
    )
    entries = "".join(
        f'<li class="{CLASSES[action]}"><svg width="34" height="10" aria-hidden="true">'
        f'<path class="line" d="M1 5H33"/></svg>{SIGNS[action]} {words}</li>'
        for action, words in _LEGEND.items()
    )
    yield f'<ul class="legend">{entries}</ul>'
    yield (
        '<p id="peek" aria-hidden="true" hidden>Point at an object type or an arrow to see its '
        "changes; click an object type to see only its changes.</p></figure>"
    )


def _filters(plan: Plan) -> Iterator[str]:
    """Shown by the script that makes them work."""
    if not plan.changes:
        return
    yield '<div class="filters" id="filters" role="search" aria-label="Filter the changes" hidden>'
    boxes = "".join(
        f'<label><input type="checkbox" value="{CLASSES[action]}" checked>'
        f"{SIGNS[action]} {action}</label>"
        for action in Action
    )
    yield f'<fieldset><legend class="vh">Changes to show</legend>{boxes}</fieldset>'
    options = "".join(_options(plan))
    yield (
        '<label>Object type <select id="object"><option value="">all</option>'
        f"{options}</select></label>"
    )
    yield '<button type="button" id="reset">Show all</button>'
    yield '<output id="shown" aria-live="polite"></output></div>'


def _options(plan: Plan) -> Iterator[str]:
    names = object_names(plan)
    numbered = [(names[each.id], number) for number, each in enumerate(object_types(plan))]
    for name, number in sorted(numbered):
        yield f'<option value="{number}">{html_text(name, 40)}</option>'


def _changes(plan: Plan, links: Links, room: int) -> Iterator[str]:
    yield '<div id="changes" tabindex="-1">'
    if not plan.changes:
        yield f'<p class="note">{headline(plan)}</p>'
    yield changes_tables(plan, links, room)
    yield '<p class="note" id="none" hidden>No change fits the filters.</p></div>'


# ---------------------------------------------------------------- below


def _footer(plan: Plan, digest: str) -> Iterator[str]:
    yield '<footer><h2 class="vh">About this plan</h2><dl>'
    yield _entry("Digest", f"<code>{html_text(digest)}</code>")
    yield _entry("Made by", html_text(f"reconciler {plan.tool_version}"))
    yield _entry("Sent to", html_text(plan.portal.base_url))
    if plan.git is not None:
        dirty = ", with uncommitted changes" if plan.git.dirty else ""
        yield _entry("Commit", f"<code>{html_text(plan.git.commit)}</code>{dirty}")
        if plan.git.base is not None:
            yield _entry("Base", f"<code>{html_text(plan.git.base)}</code>")
    if plan.files:
        yield _entry("Files", _files([file.path for file in plan.files]))
    yield "</dl></footer>"


def _entry(name: str, value: str) -> str:
    return f"<dt>{name}</dt><dd>{value}</dd>"


def _files(paths: Sequence[str]) -> str:
    items = [f"<li><code>{html_text(path)}</code></li>" for path in paths[:_FILES]]
    if len(paths) > _FILES:
        items.append(f"<li>and {len(paths) - _FILES:,} more</li>")
    listing = f"<ul>{''.join(items)}</ul>"
    if len(paths) <= 3:
        return listing
    return f"<details><summary>{plural(len(paths), 'file')}</summary>{listing}</details>"
