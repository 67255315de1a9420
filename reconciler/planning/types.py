"""Find the association type that each limit of a file means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import assert_never

from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import (
    AssociationType,
    ByTypeId,
    Category,
    DesiredLimit,
    Direction,
    Label,
    ObservedDirection,
    ResolvedDirection,
    Selector,
    TypeKey,
    UnknownRow,
    Unlabelled,
)
from reconciler.spelling import HINTS, difference, escaped, nearest, same_but_spelling


def needs_labels(declared: ResolvedDirection, observed: ObservedDirection) -> bool:
    """Whether the rows of a direction's configurations leave open what the file means.

    A row that leaves its label out needs the labels: it is not the unlabelled type. So does a
    number for a type that no row names. `unlimited` for such a type asks for
    what is already so, unless a limit is in force that the file does not name: then the file may
    have misspelt just that one.
    """
    if observed.nameless:
        return True
    types = _Types(observed)
    open_limits = [limit for limit in declared.limits if not types.meant_by(limit.selector)]
    if any(limit.max is not None for limit in open_limits):
        return True
    open_names = any(not isinstance(limit.selector, Unlabelled) for limit in open_limits)
    named = {type_.key for limit in declared.limits for type_ in types.meant_by(limit.selector)}
    return open_names and not observed.values().keys() <= named


class _Types:
    """The association types a direction's answers name, to be found by label or by key."""

    def __init__(self, observed: ObservedDirection) -> None:
        self._by_key = observed.types()
        self._by_label: dict[str | None, list[AssociationType]] = {}
        for type_ in self._by_key.values():
            self._by_label.setdefault(type_.label, []).append(type_)

    def meant_by(self, selector: Selector) -> list[AssociationType]:
        """The types that a selector names: one, unless it is unknown or ambiguous."""
        match selector:
            case Unlabelled(category):
                return self._labelled(None, category)
            case Label(text, category):
                return self._labelled(text, category)
            case ByTypeId(key):
                return [self._by_key[key]] if key in self._by_key else []
            case _:
                assert_never(selector)

    def all(self) -> Sequence[AssociationType]:
        return tuple(self._by_key.values())

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of the direction in sorted order."""
        return tuple(sorted(label for label in self._by_label if label is not None))

    def categories(self, label: str) -> list[Category]:
        """The categories of the types that share a label, in sorted order."""
        return sorted({type_.key.category for type_ in self._by_label.get(label, ())})

    def _labelled(self, label: str | None, category: Category | None) -> list[AssociationType]:
        found = self._by_label.get(label, [])
        return [type_ for type_ in found if category in (None, type_.key.category)]


@dataclass(frozen=True, slots=True)
class NamedTypes:
    """The types a direction's limits mean, and what is wrong with the others.

    `astray`: limits whose type the portal does not have. That is a mistake in the file, or was
    renamed or deleted in HubSpot.
    """

    limits: dict[TypeKey, DesiredLimit]
    diagnostics: tuple[Diagnostic, ...] = ()
    astray: tuple[tuple[DesiredLimit, Diagnostic], ...] = ()


def name_types(
    declared: ResolvedDirection, observed: ObservedDirection, *, hints: int = HINTS
) -> NamedTypes:
    """Find the one type each limit of the direction means.

    A limit whose type the portal does not have is a diagnostic when the labels were read. When
    they were not needed, such a limit is `unlimited` and there is nothing to remove. A limit of a
    type whose row is not known is left out: nobody can say from what it would be changed.
    """
    types = _Types(observed)
    limits: dict[TypeKey, DesiredLimit] = {}
    diagnostics: list[Diagnostic] = []
    astray: list[tuple[DesiredLimit, Diagnostic]] = []
    for limit in declared.limits:
        candidates = types.meant_by(limit.selector)
        match candidates:
            case [type_] if type_.key in observed.untouchable:
                continue
            case [type_] if type_.key in limits:
                diagnostics.append(
                    _named_twice(declared.direction, type_, limits[type_.key], limit)
                )
            case [type_]:
                limits[type_.key] = limit
            case [] if observed.labels is not None and not _asks_for_nothing(limit):
                if not _is_untouchable(limit.selector, observed):
                    search = len(diagnostics) + len(astray) < hints
                    found = _unknown(declared.direction, limit, types, search=search)
                    astray.append((limit, _with_unknown_rows(found, observed.unknown)))
            case []:
                continue
            case _:
                diagnostics.append(_ambiguous(declared.direction, limit, candidates))
    return NamedTypes(limits, tuple(diagnostics), tuple(astray))


def limits_by_type(
    declared: ResolvedDirection, observed: ObservedDirection
) -> dict[TypeKey, DesiredLimit]:
    """The limits of a declaration by the types they could mean, protected ones first.

    Unlike `name_types` it finds no fault: a label that could mean two types stands for both, and
    one that the portal does not have stands for none.
    """
    types = _Types(observed)
    found: dict[TypeKey, DesiredLimit] = {}
    for limit in sorted(declared.limits, key=lambda each: not each.protect):
        for type_ in types.meant_by(limit.selector):
            found.setdefault(type_.key, limit)
    return found


def _asks_for_nothing(limit: DesiredLimit) -> bool:
    return limit.max is None and isinstance(limit.selector, Unlabelled)


def _is_untouchable(selector: Selector, observed: ObservedDirection) -> bool:
    return isinstance(selector, ByTypeId) and selector.key in observed.untouchable


def _with_unknown_rows(diagnostic: Diagnostic, rows: Sequence[UnknownRow]) -> Diagnostic:
    """A row that is not understood may be what the file means."""
    if not rows:
        return diagnostic
    shown = f"{rows[0]}{f', and {len(rows) - 1} more' if len(rows) > 1 else ''}"
    hint = f"{diagnostic.hint}; {shown}" if diagnostic.hint else shown
    return replace(diagnostic, hint=hint)


def _named_twice(
    direction: Direction, type_: AssociationType, first: DesiredLimit, second: DesiredLimit
) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.LIMIT_DUPLICATE,
        f'the limit of "{type_}" ({type_.key}) of {direction} is declared twice: '
        f"here and at {first.named_at}",
        second.named_at,
        hint="keep one of the two",
        related=first.named_at,
    )


def _ambiguous(
    direction: Direction, limit: DesiredLimit, candidates: Sequence[AssociationType]
) -> Diagnostic:
    keys = " and ".join(str(each.key) for each in sorted(candidates, key=lambda each: each.key))
    categories = {each.key.category for each in candidates}
    fix = (
        f"distinguish them by `category`, one of {', '.join(sorted(categories))}"
        if len(categories) == len(candidates)
        else "name it under `types` by category and type ID"
    )
    return Diagnostic(
        DiagnosticCode.LABEL_AMBIGUOUS,
        f"{_described(limit.selector)} of {direction} could mean {keys}",
        limit.named_at,
        hint=fix,
    )


def _unknown(
    direction: Direction, limit: DesiredLimit, types: _Types, *, search: bool
) -> Diagnostic:
    """`search`: whether the nearest labels are looked for, which takes a while."""
    selector = limit.selector
    match selector:
        case Label(text, _):
            return _unknown_label(direction, limit, text, types, search=search)
        case Unlabelled():
            code, hint = (
                DiagnosticCode.OBJECT_LIMIT_UNAVAILABLE,
                "HubSpot lists no unlabelled type here",
            )
        case ByTypeId():
            code, hint = DiagnosticCode.TYPE_UNKNOWN, _known_types(types.all())
        case _:
            assert_never(selector)
    return Diagnostic(
        code,
        f"{direction} has no {_described(selector)} in this portal",
        limit.named_at,
        hint=hint,
    )


def _unknown_label(
    direction: Direction,
    limit: DesiredLimit,
    text: str,
    types: _Types,
    *,
    search: bool,
) -> Diagnostic:
    if categories := types.categories(text):
        return Diagnostic(
            DiagnosticCode.LABEL_CATEGORY_UNKNOWN,
            f'label "{text}" of {direction} is not {_category(limit.selector)} in this portal',
            limit.named_at,
            hint=f"its category is {' or '.join(categories)}",
        )
    if search and (same := same_but_spelling(text, types.labels)):
        words = difference(text, same, where=_WHERE)
        return Diagnostic(
            DiagnosticCode.LABEL_SPELLING,
            f'label "{text}" of {direction} is written differently in HubSpot: {words}',
            limit.named_at,
            hint=f"write {_written(same)}: labels match exactly as HubSpot shows them",
        )
    return Diagnostic(
        DiagnosticCode.LABEL_UNKNOWN,
        f'{direction} has no label "{text}" in this portal',
        limit.named_at,
        hint=_nearest_labels(text, types.labels) if search else None,
    )


_WHERE = ("the file", "HubSpot")


def _written(label: str) -> str:
    """How a file can name a label that is not easily typed."""
    return f'"{label}"' if label.isascii() else f"{escaped(label)} in double quotes"


def _nearest_labels(text: str, labels: Sequence[str]) -> str:
    near = nearest(text, labels, most=3, cutoff=0.5)
    shown = " or ".join(f'"{label}"' for label in near or labels[:5])
    if not near:
        return f"it has {shown}" if shown else "it has none"
    hint = f"did you mean {shown}?"
    alike = len(text) == len(near[0]) and text.isascii() != near[0].isascii()
    return f"{hint} {difference(text, near[0], where=_WHERE)}" if alike else hint


def _category(selector: Selector) -> str:
    match selector:
        case Label(_, category) | Unlabelled(category) if category is not None:
            return str(category)
        case _:
            return "of that category"


def _known_types(types: Sequence[AssociationType]) -> str:
    keys = ", ".join(f"{each.key} ({each})" for each in sorted(types, key=lambda t: t.key)[:8])
    return f"it has {keys}" if keys else "it has none"


def _described(selector: Selector) -> str:
    match selector:
        case Unlabelled(None):
            return "object limit (unlabelled type)"
        case Unlabelled(category):
            return f"object limit (unlabelled type) of category {category}"
        case Label(text, None):
            return f'label "{text}"'
        case Label(text, category):
            return f'label "{text}" of category {category}'
        case ByTypeId(key):
            return f"type {key}"
        case _:
            assert_never(selector)
