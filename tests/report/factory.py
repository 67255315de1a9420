"""Plans, results and hostile texts for the tests of reports."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from reconciler.model.limits import (
    AccountType,
    AssociationType,
    Category,
    ConfigFile,
    Direction,
    ObjectType,
    Place,
    TypeKey,
)
from reconciler.model.plan import (
    Action,
    Batch,
    Change,
    GitState,
    LimitUsage,
    ObjectLimit,
    Origin,
    Plan,
    PortalRef,
    Refusal,
    RefusalCode,
    Summary,
    count_actions,
)

CONTACTS = ObjectType("0-1", "contacts")
COMPANIES = ObjectType("0-2", "companies")
DEALS = ObjectType("0-3", "deals")
TICKETS = ObjectType("0-5", "tickets")
CAR = ObjectType("2-1001", "car")

DIGEST = "sha256:" + "0123456789abcdef" * 4
PORTAL = PortalRef("production", 1234567, AccountType.STANDARD, "https://api.hubapi.com", "2026-03")
FILE = "configs/contacts-companies.yaml"


def object_limit(type_id: int = 1) -> AssociationType:
    """The unlabelled type of a direction."""
    return AssociationType(TypeKey(Category.HUBSPOT_DEFINED, type_id), None)


def label(
    text: str, type_id: int = 28, category: Category = Category.USER_DEFINED
) -> AssociationType:
    """A labelled type."""
    return AssociationType(TypeKey(category, type_id), text)


def change(
    from_: ObjectType,
    to: ObjectType,
    type_: AssociationType,
    before: int | None,
    after: int | None,
    *,
    line: int | None = None,
    path: str = FILE,
    origin: Origin | None = None,
    reason: str | None = None,
) -> Change:
    """A change; `line` None: no source."""
    source = None if line is None else Place(path, line, 9)
    return Change(Direction(from_, to), type_, before, after, origin, source, reason)


def plan(
    *changes: Change,
    unchanged: int = 0,
    unmanaged: int = 0,
    warnings: tuple[str, ...] = (),
    refusals: tuple[Refusal, ...] = (),
    git: GitState | None = None,
    portal: PortalRef = PORTAL,
) -> Plan:
    """A plan whose counts follow from its changes."""
    counts = count_actions(changes)
    batches: tuple[Batch, ...] = ()
    return Plan(
        tool_version="0.1.0",
        created_at="2026-11-21T09:00:00Z",
        portal=portal,
        files=(ConfigFile(FILE, "ab" * 32),),
        git=git,
        summary=Summary(
            create=counts[Action.CREATE],
            update=counts[Action.UPDATE],
            delete=counts[Action.DELETE],
            unchanged=unchanged,
            unmanaged=unmanaged,
        ),
        changes=changes,
        batches=batches,
        warnings=warnings,
        refusals=refusals,
    )


def small_changes(origin: Origin | None = None) -> tuple[Change, ...]:
    """One create, two updates and a delete over two directions."""
    return (
        change(CONTACTS, COMPANIES, object_limit(279), 5, 3, line=4, origin=origin),
        change(
            CONTACTS,
            COMPANIES,
            label("Billing contact", 28),
            None,
            2,
            line=6,
            origin=origin,
            reason="one invoice address and a stand-in",
        ),
        change(
            CONTACTS,
            COMPANIES,
            label("Primary", 1, Category.HUBSPOT_DEFINED),
            2,
            1,
            line=7,
            origin=origin,
        ),
        change(COMPANIES, CONTACTS, label("Former employer", 31), 10, None, line=9, origin=origin),
    )


def eleven() -> Plan:
    """A branch that changes seven limits, three that drifted, and one in conflict."""
    cars, deals = "configs/cars.yaml", "configs/deals-contacts.yaml"
    config, drift = Origin.CONFIG, Origin.DRIFT
    raised = "deputies count since June"
    changes = (
        change(CAR, CONTACTS, object_limit(71), 2, 3, line=4, path=cars, origin=config),
        change(CAR, CONTACTS, label("Driver", 72), 1, 2, line=6, path=cars, origin=config),
        change(COMPANIES, CONTACTS, object_limit(280), 500, 1_000, line=9, origin=config),
        change(COMPANIES, CONTACTS, label("Decision maker", 32), 5, 3, line=11, origin=drift),
        change(CONTACTS, CAR, object_limit(73), 10, 8, line=8, path=cars, origin=config),
        change(CONTACTS, COMPANIES, object_limit(279), 5, 6, line=5, origin=config),
        change(CONTACTS, COMPANIES, label("Billing contact"), 4, 2, line=7, origin=Origin.CONFLICT),
        change(CONTACTS, DEALS, label("Champion", 5), 20, None, line=7, path=deals, origin=config),
        change(CONTACTS, TICKETS, object_limit(15), None, 50, line=3, origin=drift),
        change(
            DEALS,
            CONTACTS,
            label("Champion", 6),
            1,
            2,
            line=6,
            path=deals,
            origin=config,
            reason=raised,
        ),
        change(DEALS, CONTACTS, label("Deputy", 8), 4, 3, line=8, path=deals, origin=drift),
    )
    git = GitState("c" * 40, dirty=False, base="b" * 40)
    return replace(
        plan(*changes, unchanged=12, git=git),
        usage=(LimitUsage(CONTACTS.id, CAR.id, 10, 12, 40),),
        object_limits=(
            ObjectLimit(DEALS.id, CONTACTS.id, 25),
            ObjectLimit(CONTACTS.id, DEALS.id, 50),
        ),
    )


def reviewed_plan() -> Plan:
    """The eleven changes, the one in conflict protected and refused; usage partly unknown."""
    made = eleven()
    billing = next(each for each in made.changes if each.origin is Origin.CONFLICT)
    message = (
        '"Billing contact" of contacts → companies is protected at 4, and the configuration '
        "lowers it to 2"
    )
    return replace(
        made,
        summary=replace(made.summary, unmanaged=2),
        changes=tuple(replace(each, protected=each == billing) for each in made.changes),
        refusals=(Refusal(RefusalCode.PROTECTED, message, billing.id, billing.source),),
        usage=(*made.usage, LimitUsage(CONTACTS.id, COMPANIES.id, 5, None, None)),
    )


def big_plan(count: int = 2_000, types: int = 60, per_direction: int = 5) -> Plan:
    """`count` changes over many directions of `types` object types, most of them around four."""
    objects = [CONTACTS, COMPANIES, DEALS, TICKETS] + [
        ObjectType(f"2-{1000 + index}", f"custom object {index}") for index in range(types - 4)
    ]
    pairs = [
        (from_, to)
        for distance in range(len(objects))
        for index, from_ in enumerate(objects)
        for to in (objects[(index + distance) % len(objects)],)
        if distance < 3 or from_ in objects[:4] or to in objects[:4]
    ]
    values = ((None, 5), (8, 3), (4, None))
    changes = []
    for index in range(count):
        direction, position = divmod(index, per_direction)
        from_, to = pairs[direction]
        before, after = values[(index if direction % 4 == 0 else direction) % 3]
        changes.append(
            change(
                from_,
                to,
                object_limit(index) if position == 0 else label(f"Label {position}", 100 + index),
                before,
                after,
                line=index % 300 + 1,
                path=f"configs/area-{direction % 40}/pair-{direction}.yaml",
                reason="agreed with sales operations" if index % 4 == 0 else None,
            )
        )
    return plan(*changes, unchanged=120, unmanaged=4)


HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;",
    "closing tags": "</td></tr></table></details></svg></style></script><h1>owned",
    "markdown": "**bold** _it_ ~~no~~ [link](https://evil.example) ![img](https://evil.example/x.png)",
    "mention": "@acme/security-team please @octocat",
    "reference": "#123 GH-123 acme/repo#1 0123456789abcdef0123456789abcdef01234567 !5 $x$ ~label %1",
    "autolink": "https://evil.example/ www.evil.example mailto:a@evil.example a@evil.example",
    "table": "a | b || c \\| d \\\\| e |",
    "backticks": "`a` ``b`` ```c``` ````",
    "fence": "```\n# owned\n```",
    "comment": "<!-- hidden --> --> <!--",
    "mermaid": '"]; click n0 href "javascript:alert(1)"; A-->B; %%{init: {}}%% #quot; #35;',
    "mermaid markdown": "`**x**` 1. one - two\nend subgraph fa:fa-ban",
    "ansi": "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link\x1b]8;;\x07 \x9b2J",
    "bidi": "user\u202e\u2066 nimda\u2069 \u200f\u061c\u200e",
    "zero width": "ad\u200bmin\u200d\ufeff\u2060\u00ad\u034f\u3164 \u00a0x",
    "workflow": "::error file=x::owned\n::add-mask::a\n##[error]x ##vso[task]x",
    "newlines": "a\nb\r\nc\x85d\u2028e\u2029f\x0bg\x0ch\x00",
    "surrogate": "a\ud800b\udcffc",
    "tags": "x\U000e0041\U000e0042\ue000\ufffe",
    "zalgo": "Z" + "\u0300\u0301\u0302" * 40,
    "right to left": "תווית 5",
    "long": "A long label " * 800,
    "long hostile": "`|<\x1b\n" * 2_000,
    "dots": "../../etc/passwd",
    "list": "1. one",
    "dash": "- [ ] x",
    "slash": "/close",
    "object limit": "object limit",
    "empty": "",
    "blank": "   ",
    "emoji": "☎️ Phone 👍🏽",
    "joined emoji": "👨\u200d👩\u200d👧 and 🧑🏽\u200d💻",
    "japanese": "請求先担当者",
}
"""Texts that try to break a report, by what they try."""


def is_printable(text: str) -> bool:
    """Whether a line has no character that is unseen or steers, our own marks apart.

    A joiner between the parts of an emoji is seen in what they become.
    """
    picture = "\u2194\u2195\u2600-\u27bf\u2b1b\U0001f300-\U0001faff"
    joined = re.sub(f"(?<=[{picture}\ufe0f])\u200d(?=[{picture}])", "", text)
    categories = {unicodedata.category(each) for each in joined.replace("\u200e", "")}
    text.encode()
    return not categories & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def hostile_plan(text: str) -> Plan:
    """A plan with `text` wherever a stranger's words can be."""
    strange = ObjectType("2-1", text)
    changes = (
        change(
            strange,
            CONTACTS,
            label(text, 28, Category.INTEGRATOR_DEFINED),
            1,
            2,
            line=3,
            path=text,
            origin=Origin.CONFIG,
            reason=text,
        ),
        change(CONTACTS, strange, label(text, 29), 5, None, line=3, origin=Origin.DRIFT),
        change(strange, strange, object_limit(7), None, 7, origin=Origin.CONFLICT, reason=text),
    )
    portal = PortalRef(text, 1, AccountType.SANDBOX, f"https://x/{text}", text)
    return plan(
        *changes,
        warnings=(text,),
        git=GitState(text, dirty=True, base=text),
        portal=portal,
    )
