"""A plan as markdown for a pull request."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.model.limits import ObjectType, Place
from reconciler.model.plan import Change, GitState, Origin, Plan, Refusal, RefusalCode
from reconciler.report.markdown import plan_markdown, plans_markdown
from reconciler.report.markdown_parts import size
from reconciler.report.mermaid import plan_mermaid
from reconciler.report.view import Unplanned
from tests.calls import calls
from tests.report.factory import (
    COMPANIES,
    CONTACTS,
    DEALS,
    FILE,
    HOSTILE,
    PORTAL,
    big_plan,
    change,
    eleven,
    hostile_plan,
    is_printable,
    label,
    object_limit,
    plan,
    small_changes,
)

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ROW = r"^\| \S+ \W*([a-z ]+)\W* \| (.*?) \|"
"""Effect and direction of a row."""
OUR_TAGS = {
    *("details", "summary", "code", "br", "em", "h2", "h3", "p", "ul", "li", "strong", "a", "pre"),
    *("blockquote", "table", "thead", "tbody", "tr", "th", "td"),
}


def links(place: Place) -> str:
    """As a forge would link a file's line."""
    return f"https://github.com/acme/limits/blob/abc/{place.path}#L{place.line}"


def markdown(of: Plan, limit: int = 65_000) -> str:
    """The report with links."""
    return plan_markdown(of, links=links, limit=limit)


# ---------------------------------------------------------------- what a reviewer reads


def test_a_plan_without_a_base() -> None:
    """The verdict, one table with what restricts first, then all else folded away."""
    git = GitState("c0ffee" * 6, dirty=True)
    of = plan(*small_changes(), unchanged=7, unmanaged=2, git=git)
    assert (
        plan_markdown(of)
        == f"""\
## `production`: 2 lowered, 1 new limit, 1 removed

**Changes**

|  | Direction | Limit | Change | Line |
| --- | --- | --- | --- | --- |
| 🟠 **↓ lowered** | contacts → companies | object limit | **5 → 3** | `configs/contacts-companies.yaml:4` |
| 🟠 **↓ lowered** | contacts → companies | `Primary` (`HUBSPOT_DEFINED`) | **2 → 1 (of 3)** | `configs/contacts-companies.yaml:7` |
| 🟠 **+ new limit** | contacts → companies | `Billing contact` | **unlimited → 2 (of 3)**<br><em>one invoice address and a stand-in</em> | `configs/contacts-companies.yaml:6` |
| 🔵 **− removed** | companies → contacts | `Former employer` | **10 → unlimited** | `configs/contacts-companies.yaml:9` |

<details><summary>Picture · 7 unchanged · 2 unmanaged · plan digest</summary>

```mermaid
{plan_mermaid(of)}
```

- Portal 1234567 (STANDARD), API version 2026-03
- 7 limits unchanged
- 2 unmanaged: left alone
- made `2026-11-21T09:00:00Z` by `reconciler 0.1.0` for `https://api.hubapi.com`
- commit `{git.commit}`, with uncommitted changes
- `configs/contacts-companies.yaml`

Plan digest: `{of.digest}`

</details>"""
    )


def test_no_changes() -> None:
    """A push that empties the plan leaves a comment of one line that says so."""
    assert markdown(plan(unchanged=3)) == (
        "## `production`: No changes. The portal matches the configuration."
    )


def test_where_all_is_drift_the_title_says_what_putting_it_back_does() -> None:
    """As in the nightly check, whose issue has nothing but drift."""
    text = markdown(plan(*small_changes(Origin.DRIFT)))
    assert text.startswith("## `production`: 4 drifted: 2 lowered, 1 new limit, 1 removed\n")


def test_a_workspace_that_is_not_the_usual_one_is_named() -> None:
    """Two teams of one repository may call their portal alike."""
    of = replace(plan(*small_changes()), workspace="teams/a/reconciler.yaml")
    assert markdown(of).startswith("## `production` in `teams/a/reconciler.yaml`: 2 lowered, ")


def test_why_apply_will_refuse_comes_before_the_changes_and_warnings_behind_them() -> None:
    """With the line that it is about; the row of a refused change is the only red one."""
    refusals = (
        Refusal(
            RefusalCode.PROTECTED,
            '"Billing contact" of contacts → companies is protected at 3',
            "contacts>companies/HUBSPOT_DEFINED/279",
            Place(FILE, 6, 3),
        ),
        Refusal(RefusalCode.MAX_DELETES, "25 limits would be deleted; max_deletes allows 20"),
    )
    warning = "1 limit set or lowered: records already above keep their associations"
    protected = (
        '"Billing contact" of contacts → companies is protected at 3 '
        "([`contacts-companies.yaml:6`](<https://github.com/acme/limits/blob/abc/configs/contacts-companies.yaml#L6>)). "
        "`--force` does not override this: take `protect` off in a change of its own."
    )
    one = markdown(plan(*small_changes(), refusals=refusals[:1], warnings=(warning,)))
    assert one.split("\n\n")[1] == f"> [!CAUTION]\n> **Apply will refuse this plan.** {protected}"
    assert one.split("\n\n")[-6] == f"> [!WARNING]\n> {warning}"
    assert re.findall(r"🔴.*?\|.*?\|.*?\|", one) == [
        "🔴 **↓ lowered** | contacts → companies | object limit |"
    ]
    two = markdown(plan(*small_changes(), refusals=refusals))
    assert two.split("\n\n")[1] == (
        f"> [!CAUTION]\n> **Apply will refuse this plan.**\n>\n> - {protected}\n"
        "> - 25 limits would be deleted; max_deletes allows 20. `--force` overrides this threshold."
    )


def test_each_origin_has_one_table_across_directions() -> None:
    """The branch, then drift, then conflicts; the title counts all three."""
    text = markdown(eleven())
    assert text.startswith(
        "## `production`: 1 lowered, 1 removed, 5 raised · 3 drifted · 1 in conflict\n"
    )
    assert headings(text) == [
        "**This branch (7)**",
        "**Drift (3)** · somebody changed these in HubSpot; apply puts them back",
        "**Conflict (1)** · changed here and in HubSpot; the file wins",
    ]
    assert text.count("| Direction |") == 3


def test_what_restricts_comes_first_then_by_direction() -> None:
    """Effect by effect, whatever the order of the plan."""
    rows = re.findall(ROW, own_table(eleven()), re.MULTILINE)
    assert rows == [
        ("lowered", "contacts → car"),
        ("removed", "contacts → deals"),
        ("raised", "car → contacts"),
        ("raised", "car → contacts"),
        ("raised", "companies → contacts"),
        ("raised", "contacts → companies"),
        ("raised", "deals → contacts"),
    ]


def own_table(of: Plan) -> str:
    """The lines of the branch's own changes."""
    return markdown(of).split("**This branch")[1].split("**Drift")[0]


def test_who_is_affected_has_a_column_where_somebody_is() -> None:
    """Beside the change, in the words that every format has."""
    text = markdown(eleven())
    affected = "12 records at the present limit, 40 near it"
    assert (
        "| 🟠 **↓ lowered** | contacts → car | object limit "
        "| [**10 → 8**](<https://github.com/acme/limits/blob/abc/configs/cars.yaml#L8>) "
        f"| {affected} | [`cars.yaml:8`](<https://github.com/acme/limits/blob/abc/configs/cars.yaml#L8>) |"
    ) in text
    assert text.count("Who is affected") == 1
    assert "Who is affected" not in markdown(replace(eleven(), usage=()))
    assert "| Line |" not in markdown(plan(change(CONTACTS, DEALS, label("A", 1), 1, 2)))


def test_a_path_is_as_short_as_it_is_unambiguous() -> None:
    """The link has all of it; without a link it is written out."""
    changes = [
        change(CONTACTS, DEALS, label(path, number), 1, 2, line=3, path=path)
        for number, path in enumerate(
            ["a/x/cars.yaml", "b/x/cars.yaml", "b/vans.yaml", "vans.yaml"]
        )
    ]
    text = markdown(plan(*changes))
    shown = re.findall(r"\[`(.*?):3`\]\(<https://github.com/acme/limits/blob/abc/(.*?)#L3>\)", text)
    assert shown == [
        ("a/x/cars.yaml", "a/x/cars.yaml"),
        ("b/x/cars.yaml", "b/x/cars.yaml"),
        ("b/vans.yaml", "b/vans.yaml"),
        ("vans.yaml", "vans.yaml"),
    ]
    assert "| [`cars.yaml:3`](" in markdown(plan(*changes[1:]))
    assert "| `b/x/cars.yaml:3` |" in plan_markdown(plan(*changes[1:]))


def headings(text: str) -> list[str]:
    """The headings of the tables."""
    return re.findall(r"^\*\*(?:Changes|This branch|Drift|Conflict).*$", text, re.MULTILINE)


def test_more_than_ten_of_a_kind_are_folded() -> None:
    """The first ten stay in sight; the others are a click away, in a table of their own."""
    raised = [change(CONTACTS, DEALS, label(f"L{n}", n), 1, 2, line=n) for n in range(1, 15)]
    lowered = change(CONTACTS, COMPANIES, object_limit(), 5, 3)
    text = markdown(plan(lowered, *raised))
    sight, folded = text.split("<details><summary>↑ 4 more raised</summary>\n\n|  | Direction |")
    assert (sight.count("↑ raised"), folded.count("↑ raised")) == (10, 4)
    assert "lowered**" in sight


def test_the_picture_is_for_few_directions() -> None:
    """Six arrows can be read; seven are not drawn."""
    objects = [ObjectType(f"2-{number}", f"custom {number}") for number in range(7)]
    changes = [change(CONTACTS, each, object_limit(), 1, 2) for each in objects]
    six, seven = markdown(plan(*changes[:6])), markdown(plan(*changes))
    assert "<summary>Picture · plan digest</summary>\n\n```mermaid\n" in six
    assert "<summary>Plan digest</summary>" in seven
    assert "mermaid" not in seven


# ---------------------------------------------------------------- the room there is


def test_a_big_plan_says_what_it_leaves_out() -> None:
    """2,000 changes: verdict, all that fits, and honest numbers."""
    big = big_plan()
    text = markdown(big)
    assert calls(lambda: markdown(big)) < 2_000 * 350
    assert 55_000 < size(text) < 65_000
    assert text.startswith("## `production`: 667 lowered, 667 new limits, 666 removed\n\n> [!NOTE]")
    left_out = re.search(r"> ([\d,]+) of 2,000 changes are left out below: (.*)\. They do", text)
    assert left_out is not None
    shown = shown_effects(text)
    missing: Counter[str] = Counter()
    for count, words in re.findall(r"(?:^|, )([\d,]+) ([a-z ]+)", left_out.group(2)):
        missing[words.removesuffix("s")] = int(count.replace(",", ""))
    totals = {"lowered": 667, "new limit": 667, "removed": 666}
    assert {each: shown[each] + missing[each] for each in totals} == totals
    assert missing.total() == int(left_out.group(1).replace(",", ""))
    assert missing.keys() == {"new limit"}


def shown_effects(text: str) -> Counter[str]:
    """How many changes are shown of each effect: one for each arrow behind the direction's."""
    found: Counter[str] = Counter()
    for row in re.finditer(ROW + ".*", text, re.MULTILINE):
        found[row[1]] += row[0].count("→") - 1
    return found


def test_lowered_and_removed_limits_are_not_cut_before_others() -> None:
    """A comment has no room for all; every one of those that hurt is there, in every section."""
    origins = [Origin.CONFIG, Origin.DRIFT, Origin.CONFLICT]
    changes = [
        change(
            each.direction.from_,
            each.direction.to,
            each.type,
            *((9, 3) if number % 8 == 0 else (9, None) if number % 8 == 1 else (3, 9)),
            line=number + 1,
            origin=origins[number % 3],
            reason="agreed with sales operations " * 5,
        )
        for number, each in enumerate(big_plan(1_600).changes)
    ]
    text = markdown(plan(*changes))
    shown = shown_effects(text)
    assert (shown["lowered"], shown["removed"]) == (200, 200)
    assert 0 < shown["raised"] < 1_200
    assert f"{1_200 - shown['raised']:,} of 1,600 changes are left out below: " in text


def test_detail_goes_before_rows() -> None:
    """First reasons, then links, then a line for each; only then are changes left out."""
    changes = [
        change(CONTACTS, DEALS, label(f"L{n}", n), 1, 2, line=n, reason="because " * 30)
        for n in range(1, 1_501)
    ]
    cases = ((60, True, True, 60), (200, False, True, 200), (300, False, False, 300))
    for count, reasons, lines, rows in (*cases, (1_500, False, False, 150)):
        text = markdown(plan(*changes[:count]))
        assert shown_effects(text)["raised"] == count
        assert text.count("raised |") == rows
        assert ("because" in text, "#L1>" in text) == (reasons, lines)
        assert "left out" not in text


def test_what_is_lowered_keeps_its_detail_longest() -> None:
    """Hundreds of raised limits share lines before one lowered limit loses its link or reason."""
    lowered = [
        change(CONTACTS, DEALS, label(f"L{n}", n), 2, 1, line=n, reason="because")
        for n in range(1, 9)
    ]
    raised = [
        change(DEALS, CONTACTS, label(f"R{n}", n), 1, 2, line=n, reason="why not")
        for n in range(1, 1_501)
    ]
    text = markdown(plan(*raised, *lowered))
    assert shown_effects(text) == {"lowered": 8, "raised": 1_500}
    assert text.count("<em>because</em>") == text.count("contacts-companies.yaml:") == 8
    assert "why not" not in text
    assert text.count("| Direction | Limit | Change | Line |") == 1
    assert text.count("| Direction | Limits |") == 2  # one of them in the fold


def test_drift_is_not_crowded_out() -> None:
    """Config changes that fill a comment leave room for what somebody did in HubSpot."""
    drift = change(CONTACTS, DEALS, label("A", 1), 3, 4, line=3, origin=Origin.DRIFT)
    changes = [
        change(each.direction.from_, each.direction.to, each.type, 1, 2, origin=Origin.CONFIG)
        for each in big_plan().changes
    ]
    text = markdown(plan(*changes, drift))
    assert [each[:19] for each in headings(text)] == ["**This branch (2,00", "**Drift (1)** · som"]
    assert "| `A` 3 → 4 |" in text


def test_too_little_room_is_an_error() -> None:
    """A summary cannot be cut."""
    with pytest.raises(ValueError, match="needs room for 8000"):
        markdown(plan(), limit=100)


# ---------------------------------------------------------------- several portals


def of_portal(name: str, *changes: Change, refusals: tuple[Refusal, ...] = ()) -> Plan:
    """A plan for a portal."""
    return plan(*changes, portal=replace(PORTAL, name=name), refusals=refusals)


def test_several_portals_are_one_document() -> None:
    """A line per portal, in the order given, then the reports of those that have one."""
    refused = (Refusal(RefusalCode.MAX_DELETES, "too many"),)
    one, two = (
        of_portal("one", *small_changes()),
        of_portal("two", *small_changes(), refusals=refused),
    )
    text = plans_markdown(
        [one, of_portal("same"), Unplanned("gone", "HubSpot answered 401 | token"), two],
        links=lambda _plan: links,
    )
    assert text.startswith(
        """\
## 4 portals: 2 to change · 1 refused · 1 without a plan

| Portal | What happens |
| --- | --- |
| `one` | 2 lowered, 1 new limit, 1 removed |
| `same` | no changes |
| `gone` | **no plan**: `HubSpot answered 401 \\| token` |
| `two` | 2 lowered, 1 new limit, 1 removed · **apply will refuse this plan** |

## `one`: 2 lowered, 1 new limit, 1 removed
"""
    )
    assert re.findall(r"^## `.*?`", text, re.MULTILINE) == ["## `one`", "## `two`"]
    assert f"\n\n{markdown(one)}\n\n{markdown(two)}" in text
    assert plans_markdown([one]) == plan_markdown(one)


def test_several_portals_share_the_room() -> None:
    """What is lowered in the last portal is shown before what is raised in the first."""
    raised = [change(CONTACTS, DEALS, label(f"L{n}", n), 1, 2) for n in range(5_000)]
    lowered = [change(CONTACTS, DEALS, label(f"L{n}", n), 2, 1) for n in range(100)]
    text = plans_markdown([of_portal("one", *raised), of_portal("two", *lowered)])
    shown = shown_effects(text)
    assert shown["lowered"] == 100
    assert 0 < shown["raised"] < 5_000
    assert f"{5_000 - shown['raised']:,} of 5,000 changes are left out below" in text
    assert size(text) < 65_000


def test_hundreds_of_portals_fit_a_comment() -> None:
    """Every one has its line; as many reports as there is room for, refused ones first."""
    refused = (Refusal(RefusalCode.MAX_DELETES, "too many"),)
    plans = [
        of_portal(f"portal-{n}", *small_changes(), refusals=refused if n == 399 else ())
        for n in range(400)
    ]
    text = plans_markdown(plans, links=lambda _plan: links)
    assert size(text) < 65_000
    assert len(re.findall(r"^\| `portal-\d+` \|", text, re.MULTILINE)) == 400
    reports = re.findall(r"^## `(.*?)`", text, re.MULTILINE)
    assert (reports[0], reports[-1]) == ("portal-0", "portal-399")
    assert f"The plans of {400 - len(reports)} more portals do not fit into a comment." in text


def test_more_portals_than_a_comment_has_lines_for() -> None:
    """Those left out are counted."""
    text = plans_markdown([of_portal(f"{n:03}" * 20) for n in range(900)])
    assert size(text) < 65_000
    assert re.search(r"\n\d+ more portals are left out here\.", text)


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
    assert_harmless(
        plans_markdown([hostile_plan(HOSTILE[kind]), Unplanned(HOSTILE[kind], HOSTILE[kind])])
    )


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_in_folded_tables(kind: str) -> None:
    """No tag, no mention and no end of the fold gets in."""
    names = [ObjectType(f"2-{number}", HOSTILE[kind]) for number in range(15)]
    changes = [change(CONTACTS, each, label(HOSTILE[kind], 1), 1, 2) for each in names]
    text = markdown(plan(*changes))
    assert text.count("<details><summary>") == 2
    assert text.split("\n").count("</details>") == 2
    assert_harmless(text)


def test_an_object_type_cannot_be_named_like_a_direction() -> None:
    """An arrow in a name is in a code span, which our own never is."""
    odd = ObjectType("2-1", "deals → tickets")
    assert "| contacts → `deals → tickets` |" in markdown(
        plan(change(CONTACTS, odd, object_limit(), 1, 2))
    )


def test_a_label_cannot_pass_for_the_object_limit() -> None:
    """Labels are code, our own words are not."""
    text = markdown(plan(change(CONTACTS, DEALS, label("object limit"), 1, 2)))
    assert "| `object limit` |" in text


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
        assert len(unescaped) in range(3, 8), row


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


def test_the_changes_of_many_portals_come_before_their_pictures() -> None:
    """Forty portals of two changes each fit; no change makes room for a picture."""
    many = [
        replace(eleven(), portal=replace(eleven().portal, name=f"client-{n}"), changes=two)
        for n in range(40)
        for two in [eleven().changes[:2]]
    ]
    text = plans_markdown(many, links=lambda _plan: lambda place: f"https://x.test/{place.line}")
    assert "left out" not in text
    assert "mermaid" not in text
    assert all(f"## `client-{n}`: " in text for n in range(40))
    assert "mermaid" in plans_markdown(many[:4])
