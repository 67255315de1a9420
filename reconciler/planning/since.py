"""How a plan differs from an earlier one of the same portal: one call of DeepDiff."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.plan import Plan, Refusal, canonical_json
from reconciler.model.since import Outline, Revision, Since
from reconciler.planning.plan_file import change_json, refusal_json


def since(earlier: Outline, now: Outline) -> Since:
    """What differs, with changes keyed by their ID, each part in the order of its plan.

    Two plans of one digest differ at most in origins, and in what a refusal is about.
    """
    old, new = _document(earlier), _document(now)
    for part in old:  # what is equal never reaches DeepDiff, as in `differences`
        equal = dict(old[part].items() & new[part].items())
        old[part] = {key: each for key, each in old[part].items() if key not in equal}
        new[part] = {key: each for key, each in new[part].items() if key not in equal}
    if old == new:
        return Since()
    from deepdiff import DeepDiff  # 0.2 s to import, and most second plans are the same

    # A name of two underscores is an ID as any other, and two plans may share no change at all.
    tree = DeepDiff(
        old, new, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False
    )
    found: dict[str, dict[str, set[str]]] = {}
    for kind, levels in tree.items():
        for level in levels:
            part, key = level.path(output_format="list")
            found.setdefault(part, {}).setdefault(kind, set()).add(key)
    changes, refusals = found.get("changes", {}), found.get("refusals", {})
    added, gone, differing = (
        changes.get(kind, set())
        for kind in ("dictionary_item_added", "dictionary_item_removed", "values_changed")
    )
    was = {each.id: each for each in earlier.changes}
    both = [Revision(was[each.id], each) for each in now.changes if each.id in differing]
    destination = found.get("destination", {}).get("values_changed", set())
    return Since(
        portal_id=(earlier.portal_id, now.portal_id) if "portal_id" in destination else None,
        api_version=(
            (earlier.api_version, now.api_version) if "api_version" in destination else None
        ),
        added=tuple(each for each in now.changes if each.id in added),
        gone=tuple(each for each in earlier.changes if each.id in gone),
        revised=tuple(each for each in both if not _only_moved(each)),
        moved=tuple(
            each for each in both if _only_moved(each) and each.was.origin and each.now.origin
        ),
        refused=_named(now, refusals.get("dictionary_item_added", set())),
        no_longer_refused=_named(earlier, refusals.get("dictionary_item_removed", set())),
    )


def _document(outline: Outline) -> dict[str, dict[str, str]]:
    """The parts of a plan that are compared, each an item by its key."""
    return {
        "destination": {
            "portal_id": str(outline.portal_id),
            "api_version": outline.api_version,
        },
        "changes": {
            each.id: canonical_json([each.before, each.after, each.protected, each.origin])
            for each in outline.changes
        },
        "refusals": dict.fromkeys(map(_key, outline.refusals), ""),
    }


def _key(refusal: Refusal) -> str:
    """What a refusal is about: a threshold, a change, or else what its words say."""
    about = "" if refusal.overridden_by_force else refusal.change or refusal.message
    return f"{refusal.code} {about}"


def _named(outline: Outline, keys: set[str]) -> tuple[Refusal, ...]:
    return tuple(each for each in outline.refusals if _key(each) in keys)


def _only_moved(each: Revision) -> bool:
    """Whether nothing but the origin differs."""
    return (each.was.before, each.was.after, each.was.protected) == (
        each.now.before,
        each.now.after,
        each.now.protected,
    )


def since_json(found: Since, earlier: Plan, now: Plan) -> dict[str, object]:
    """What `show --since --format json` says beside a plan; changes are as in plan documents."""
    return {
        "digest": earlier.digest,
        "created_at": earlier.created_at,
        "same_digest": earlier.digest == now.digest,
        "portal_id": _then_and_now(found.portal_id),
        "api_version": _then_and_now(found.api_version),
        "added": [change_json(each) for each in found.added],
        "gone": [change_json(each) for each in found.gone],
        "revised": [_revision_json(each) for each in found.revised],
        "moved": [_revision_json(each) for each in found.moved],
        "refusals": {
            "added": [refusal_json(each) for each in found.refused],
            "gone": [refusal_json(each) for each in found.no_longer_refused],
        },
    }


def _revision_json(each: Revision) -> dict[str, object]:
    return {"was": change_json(each.was), "now": change_json(each.now)}


def _then_and_now(values: tuple[object, object] | None) -> Mapping[str, object] | None:
    return None if values is None else {"was": values[0], "now": values[1]}
