"""A plan as markdown for a pull request."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.model.limits import ObjectType, Place
from reconciler.model.plan import Change, GitState, Origin, Plan, Refusal, RefusalCode
from reconciler.report.markdown import plan_markdown
from reconciler.report.markdown_parts import size
from tests.report.factory import (
    CONTACTS,
    DEALS,
    DIGEST,
    FILE,
    HOSTILE,
    big_plan,
    change,
    hostile_plan,
    is_printable,
    label,
    plan,
    small_changes,
)

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OUR_TAGS = {
    *("details", "summary", "code", "br", "h2", "h3", "p", "ul", "li", "strong", "a", "pre"),
    *("blockquote", "table", "thead", "tbody", "tr", "th", "td"),
}


def links(place: Place) -> str:
    """As a forge would link a file's line."""
    return f"https://github.com/acme/limits/blob/abc/{place.path}#L{place.line}"


def markdown(of: Plan, limit: int = 65_000) -> str:
    """The report with links."""
    return plan_markdown(of, digest=DIGEST, links=links, limit=limit)


# ---------------------------------------------------------------- what a reviewer reads


def test_a_plan_without_a_base() -> None:
    """Headline, deletes, a table per direction, picture, origin of the plan, digest."""
    git = GitState("c0ffee" * 6, dirty=True)
    assert (
        plan_markdown(plan(*small_changes(), unchanged=7, unmanaged=2, git=git), digest=DIGEST)
        == f"""\
## Plan for `production`: 1 to create, 2 to update, 1 to delete

Portal 1234567 (STANDARD), API version 2026-03. 7 limits unchanged. 2 unmanaged: left alone.

### 1 limit will be deleted

| Direction | Limit | Before → after | Why | File |
| --- | --- | --- | --- | --- |
| `companies` → `contacts` | `Former employer` | 10 → unlimited |  | `configs/contacts-companies.yaml:9` |

### Changes

**`contacts` → `companies`**

| Change | Limit | Before → after | File |
| --- | --- | --- | --- |
| 🟡&nbsp;update | object limit | 5 → 3 | `configs/contacts-companies.yaml:4` |
| 🟢&nbsp;create | `Billing contact`<br>one invoice address and a stand-in | unlimited → 2 | `configs/contacts-companies.yaml:6` |
| 🟡&nbsp;update | `Primary` (`HUBSPOT_DEFINED`) | 2 → 1 | `configs/contacts-companies.yaml:7` |

**`companies` → `contacts`**

| Change | Limit | Before → after | File |
| --- | --- | --- | --- |
| 🔴&nbsp;**delete** | `Former employer` | 10 → unlimited | `configs/contacts-companies.yaml:9` |

```mermaid
flowchart LR
    accTitle: Association limits that change
    t0["contacts"]
    t1["companies"]
    t0 ==>|"#126; object limit 5 → 3<br/>#43; “Billing contact” unlimited → 2<br/>#126; “Primary” #40;HUBSPOT#95;DEFINED#41; 2 → 1"| t1
    t1 -.->|"#45; “Former employer” 10 → unlimited"| t0
    linkStyle 0 stroke:#bf8700,stroke-width:3px
    linkStyle 1 stroke:#cf222e,stroke-width:3px
```

<details><summary>About this plan</summary>

- made `2026-11-21T09:00:00Z` by `reconciler 0.1.0` for `https://api.hubapi.com`
- commit `{git.commit}`, with uncommitted changes
- `configs/contacts-companies.yaml`

</details>

Plan digest: `{DIGEST}`"""
    )


def test_no_changes() -> None:
    """A push that empties the plan leaves a comment that says so."""
    text = markdown(plan(unchanged=3))
    assert text.startswith(
        "## Plan for `production`: no changes\n\n"
        "No changes. The portal matches the configuration.\n\n"
        "Portal 1234567 (STANDARD), API version 2026-03. 3 limits unchanged.\n\n"
    )
    assert "mermaid" not in text


def test_refusals_and_warnings_come_before_the_changes() -> None:
    """Why apply will refuse, and what to look at twice, is read before anything else."""
    text = markdown(
        plan(
            *small_changes(),
            refusals=(
                Refusal(
                    RefusalCode.MAX_DELETES, "25 limits would be deleted; max_deletes allows 20"
                ),
                Refusal(
                    RefusalCode.PROTECTED,
                    '"Billing contact" of contacts → companies is protected at 3',
                    "id",
                    Place(FILE, 6, 3),
                ),
            ),
            warnings=("1 limit set or lowered: records already above keep their associations",),
        )
    )
    assert (
        """\
> [!CAUTION]
> **`apply` will refuse this plan.**
>
> - 25 limits would be deleted; max_deletes allows 20. `--force` overrides this threshold.
> - "Billing contact" of contacts → companies is protected at 3 ([`configs/contacts-companies.yaml:6`](<https://github.com/acme/limits/blob/abc/configs/contacts-companies.yaml#L6>)). `--force` does not override this: take `protect` off in a change of its own.

> [!WARNING]
> - 1 limit set or lowered: records already above keep their associations

### 1 limit will be deleted
"""
        in text
    )


def test_drift_and_conflicts_have_sections_of_their_own() -> None:
    """With a base: counts by origin, then the sections."""
    drift = change(CONTACTS, DEALS, label("A", 1), 3, None, line=3, origin=Origin.DRIFT)
    conflict = change(CONTACTS, DEALS, label("B", 2), 3, 4, line=4, origin=Origin.CONFLICT)
    text = markdown(plan(conflict, drift, *small_changes(Origin.CONFIG)))
    assert (
        """
|  | to create | to update | to delete |
| --- | --- | --- | --- |
| Changes of the configuration | 1 | 2 | 1 |
| Drift | 0 | 0 | 1 |
| Conflicts | 0 | 1 | 0 |
"""
        in text
    )
    assert "| `contacts` → `deals` | `A` | 3 → unlimited | drift |" in text
    assert headings(text) == [
        "2 limits will be deleted",
        "Changes of the configuration (4)",
        "Drift (1)",
        "Conflicts (1)",
    ]


def headings(text: str) -> list[str]:
    """The headings of the third level."""
    return re.findall(r"^### (.*)$", text, re.MULTILINE)


def test_many_directions_are_folded() -> None:
    """From thirteen directions on, each is a line to open."""
    text = markdown(big_plan(39, per_direction=3))
    assert text.count("<details><summary><code>") == 13
    assert (
        "\n<details><summary><code>contacts → contacts</code>: 1 to create, 1 to update, 1 to delete</summary>\n\n| Change |"
        in text
    )
    assert "Picture of the object types" in text


# ---------------------------------------------------------------- the room there is


def test_a_big_plan_says_what_it_leaves_out() -> None:
    """2,000 changes: summary, all that fits, and honest numbers."""
    big = big_plan()
    start = time.process_time()
    text = markdown(big)
    assert time.process_time() - start < 0.5
    assert size(text) < 65_000
    assert text.startswith("## Plan for `production`: 667 to create, 667 to update, 666 to delete")
    note = re.search(r"([\d,]+) more deletes are left out here", text)
    assert note is not None
    shown = text.split("### Changes")[0].count(" → unlimited |")
    assert shown + int(note.group(1).replace(",", "")) == 666
    assert text.endswith(f"Plan digest: `{DIGEST}`")


def test_what_is_shown_and_what_is_left_out_add_up() -> None:
    """Every change is either in a table or counted as left out."""
    updates = plan(*(each for each in big_plan().changes if each.after is not None))
    text = markdown(updates, limit=30_000)
    note = re.search(r"> ([\d,]+) of ([\d,]+) changes, in ([\d,]+) of ([\d,]+) directions", text)
    assert note is not None
    left_out, changes, directions, all_directions = (
        int(each.replace(",", "")) for each in note.groups()
    )
    assert changes == len(updates.changes)
    assert all_directions == len(updates.by_direction)
    assert text.count("🟢") + text.count("🟡") == changes - left_out
    assert 0 < directions < all_directions
    assert size(text) < 30_000


def test_drift_is_not_crowded_out() -> None:
    """Config changes that fill a comment leave room for what somebody did in HubSpot."""
    drift = change(CONTACTS, DEALS, label("A", 1), 3, 4, line=3, origin=Origin.DRIFT)
    changes = [
        change(each.direction.from_, each.direction.to, each.type, 1, 2, origin=Origin.CONFIG)
        for each in big_plan().changes
    ]
    text = markdown(plan(*changes, drift))
    assert headings(text) == ["Changes of the configuration (2000)", "Drift (1)"]
    assert "| 🟡&nbsp;update | `A` | 3 → 4 |" in text


def test_a_direction_too_big_for_a_comment_is_cut() -> None:
    """Its first limits are shown, the others counted."""
    changes = [
        change(CONTACTS, DEALS, label(f"Label {index}", index), 1, 2) for index in range(3_000)
    ]
    text = markdown(plan(*changes))
    assert "more changes of this direction are left out here." in text
    assert size(text) < 65_000


def test_too_little_room_is_an_error() -> None:
    """A summary cannot be cut."""
    with pytest.raises(ValueError, match="needs room for 8000"):
        markdown(plan(), limit=100)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of any size and origin with any text in them."""
    text = draw(st.sampled_from(sorted(HOSTILE.values())) | st.text(st.characters(), max_size=40))
    hostile = hostile_plan(text)
    origin = draw(st.sampled_from([None, *Origin]))
    count = draw(st.integers(0, 400))
    after = draw(st.sampled_from([None, 3]))
    changes: list[Change] = [
        change(
            CONTACTS,
            hostile.changes[0].direction.from_,
            label(text, 100 + index),
            7,
            after,
            line=index,
            origin=origin,
            reason=text,
        )
        for index in range(count)
    ]
    many = draw(st.integers(0, 300))
    return plan(
        *hostile.changes,
        *changes,
        warnings=(text,) * many,
        refusals=(Refusal(RefusalCode.PROTECTED, text, None, Place(text, 1, 1)),) * many,
        git=hostile.git,
        portal=hostile.portal,
    )


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(plans(), st.sampled_from([8_000, 20_000, 65_000]))
def test_the_bound_holds_for_any_plan(of: Plan, limit: int) -> None:
    """However long, however hostile."""
    text = markdown(of, limit)
    assert size(text) < limit
    if limit == 8_000:
        assert_harmless(text)


# ---------------------------------------------------------------- strangers' words


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text(kind: str) -> None:
    """It is in code or is plain words, tables keep their cells, no tag is added."""
    text = markdown(hostile_plan(HOSTILE[kind]))
    assert_harmless(text)
    assert headings(text) == headings(markdown(hostile_plan("friend")))


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_in_folded_tables(kind: str) -> None:
    """The line to open is raw HTML: no tag, no mention and no end of the fold gets in."""
    names = [ObjectType(f"2-{number}", HOSTILE[kind]) for number in range(15)]
    changes = [change(CONTACTS, each, label(HOSTILE[kind], 1), 1, 2) for each in names]
    text = markdown(plan(*changes))
    assert text.count("<details><summary><code>contacts → ") == 15
    assert text.split("\n").count("</details>") == 17
    assert_harmless(text)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_any_text(text: str) -> None:
    """Whatever the name."""
    assert_harmless(markdown(hostile_plan(text)))


def assert_harmless(text: str) -> None:
    """What a forge makes of it holds our tags, our links and complete tables only."""
    assert all(map(is_printable, text.split("\n")))
    assert not any(line.startswith(("::", "/")) for line in text.split("\n"))
    tokens = PARSER.parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    for token in inline:
        assert token.type not in {"image", "s_open", "em_open"}
        if token.type == "text":
            assert not re.search(r"[@#`~$]|https?:|www\.|::", token.content), token.content
        if token.type == "link_open":
            assert str(token.attrs["href"]).startswith("https://github.com/acme/limits/blob/")
    assert_tables_are_complete(text, tokens)
    assert_only_our_tags(PARSER.renderer.render(tokens, PARSER.options, {}))


def assert_tables_are_complete(text: str, tokens: list[Token]) -> None:
    """Each row has as many cells as its head."""
    width = 0
    cells = 0
    for token in tokens:
        match token.type:
            case "thead_open":
                width = 0
            case "th_open":
                width += 1
            case "tr_open":
                cells = 0
            case "td_open":
                cells += 1
            case "tr_close":
                assert cells in {0, width}
    rows = [line for line in text.split("\n") if line.startswith("| ")]
    for row in rows:
        unescaped = re.findall(r"(?<!\\)(?:\\\\)*\|", row)
        assert len(unescaped) in {5, 6}, row


class Tags(HTMLParser):
    """Collects the tags and attributes of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def assert_only_our_tags(rendered: str) -> None:
    """No element that a stranger brought."""
    tags = Tags()
    tags.feed(rendered)
    assert tags.tags <= OUR_TAGS
    assert tags.attributes <= {"href", "class"}
