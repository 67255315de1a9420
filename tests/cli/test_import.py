"""`reconciler import`: pair files from a portal, and existing ones left alone or edited in place."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from reconciler.cli.adopting import look
from reconciler.sandbox.example import example_portal
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.portal import ObjectType
from reconciler.sandbox.seed import portal_from
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import Options
from tests.cli.running import Desk, Ran, git

Seeded = Callable[[dict[str, object]], Desk]
PAIR = "configs/contacts-companies.yaml"
FRESH = """\
from: contacts
to: companies
max: 5
labels:
  Billing contact: 1
inverse:
  labels:
    Billing contact: 2
"""
EXAMPLE_FILES = [
    "configs/contacts-car.yaml",
    PAIR,
    "configs/contacts-contacts.yaml",
    "configs/contacts-deals.yaml",
]
NO_CHANGES = "No changes. The portal matches the configuration."


@pytest.fixture
def imported(desk: Desk) -> Desk:
    """The example portal's limits as files."""
    assert desk.run_here("import").code == 0
    return desk


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Desk]:
    """A portal whose token may not read object schemas."""
    options = Options(faults=(parse_fault("schemas:403"),))
    with serve(example_portal(), options) as server:
        yield Desk(tmp_path, server)


def files(desk: Desk) -> dict[str, str]:
    """The files of the folder, by path."""
    return {
        str(each.relative_to(desk.folder)): each.read_text(encoding="utf-8")
        for each in sorted(desk.folder.rglob("*"))
        if each.is_file() and ".git" not in each.parts
    }


def plan(desk: Desk) -> str:
    """What is left to do."""
    ran = desk.run_here("plan")
    assert ran.code == 0, ran.err
    return ran.last_line


def edit(desk: Desk, from_: str, to: str, type_id: int, maximum: int | None) -> None:
    """Change a limit behind the files' back."""
    assert desk.server is not None
    desk.server.edit(from_, to, type_id, maximum)


# ---------------------------------------------------------------- the first import


def test_a_standard_name_that_a_custom_object_shares_is_written_as_an_id(tmp_path: Path) -> None:
    """`orders` could mean either of the two: the plan after the import would be refused."""
    orders = ObjectType("2-88", "order", "orders", "p1234567_orders")
    portal = example_portal()
    portal = replace(portal, object_types=portal.object_types.extended([orders]))
    with serve(portal.with_limit("contacts", "0-123", 508, 7)) as server:
        desk = Desk(tmp_path, server)
        assert desk.run_here("import").code == 0
        assert "to: 0-123\n" in files(desk)["configs/contacts-0-123.yaml"]
        assert plan(desk) == NO_CHANGES


def test_every_limit_becomes_a_line(desk: Desk) -> None:
    """One file per pair, both directions, and nothing is left to plan."""
    ran = desk.run_here("import")
    assert (ran.code, ran.last_line) == (0, "Imported: 6 limits in 4 files.")
    assert f"created {PAIR} (3 limits)\n" in ran.out
    assert sorted(files(desk)) == sorted(EXAMPLE_FILES)
    assert files(desk)[PAIR] == FRESH
    assert plan(desk) == NO_CHANGES
    assert desk.writes() == []


def test_importing_twice_changes_not_one_byte(imported: Desk) -> None:
    """Neither a value nor a time stamp."""
    before = {path: (imported.folder / path).stat().st_mtime_ns for path in files(imported)}
    texts = files(imported)
    for arguments in ((), ("--update",), ("--pair", "contacts:companies")):
        ran = imported.run_here("import", *arguments)
        assert (ran.code, ran.out) == (
            0,
            "Nothing to import. The files say what the portal has.\n",
        )
    assert files(imported) == texts
    assert before == {path: (imported.folder / path).stat().st_mtime_ns for path in before}


def test_what_is_imported_is_canonical_and_valid(imported: Desk) -> None:
    """`fmt` has nothing to do, and `validate` nothing to say."""
    assert imported.run_here("fmt", "--check").code == 0
    ran = imported.run_here("validate")
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("pair", ["contacts:companies", "COMPANY:0-1", " 0-2 : Contact "])
def test_a_pair_in_any_spelling(desk: Desk, pair: str) -> None:
    """Only that pair, both ways, in the order that people know."""
    ran = desk.run_here("import", "--pair", pair)
    assert ran.code == 0
    assert files(desk) == {PAIR: FRESH}


def test_several_pairs_and_a_custom_object(desk: Desk) -> None:
    """By its name, which is resolved in the portal."""
    ran = desk.run_here("import", "--pair", "contacts:car", "--pair", "deals:contacts")
    assert ran.code == 0
    assert files(desk) == {
        "configs/contacts-car.yaml": "from: car\nto: contacts\nmax: 4\n",
        "configs/contacts-deals.yaml": "from: deals\nto: contacts\nlabels:\n  Champion: 1\n",
    }


def test_a_label_that_two_categories_share_says_which(desk: Desk) -> None:
    """By its category."""
    assert desk.server is not None
    examples = Path(__file__).parents[2] / "examples" / "configs" / "quotes-contacts.yaml"
    desk.write("ours/quotes.yaml", examples.read_text(encoding="utf-8"))
    assert desk.run_here("apply", "ours", "--auto-approve").code == 0
    assert desk.run_here("import", "--pair", "quotes:contacts").code == 0
    text = files(desk)["configs/contacts-quotes.yaml"]
    assert "  Quote to billing contact: {max: 1, category: USER_DEFINED}\n" in text
    assert plan(desk) == NO_CHANGES


def test_what_cannot_be_placed_is_listed(faulty: Desk) -> None:
    """With category and ID, on stderr, in the summary and in the document; the rest is imported."""
    ran = faulty.run_here("import")
    assert ran.code == 0
    assert "warning: not placed: USER_DEFINED/40, limit 4" in ran.err
    assert "crm.schemas.custom.read" in ran.err
    assert ran.last_line == "Imported: 5 limits in 3 files. 1 limit could not be placed."
    document = faulty.run_here("import", "--format", "json").json
    assert document["files"] == []
    (row,) = document["unplaced"]
    assert (row["category"], row["type_id"], row["max"]) == ("USER_DEFINED", 40, 4)


def test_a_category_that_this_version_does_not_know_is_listed(tmp_path: Path) -> None:
    """As the portal states it, in words and in the document."""
    row = parse_fault("all:row,type=9,category=NEW_THING,label=X,max=3")
    with serve(example_portal(), Options(faults=(row,))) as server:
        desk = Desk(tmp_path, server)
        ran = desk.run_here("import")
        assert (ran.code, "not placed: " in ran.err, 'NEW_THING/9 "X"' in ran.err) == (
            0,
            True,
            True,
        )
        (listed,) = desk.run_here("import", "--format", "json").json["unplaced"]
    assert (listed["category"], listed["type_id"]) == ("NEW_THING", 9)


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[Seeded]:
    """A folder beside the example portal with something added to it."""
    with ExitStack() as stack:

        def start(seed: dict[str, object]) -> Desk:
            portal = portal_from({"extends": "example", **seed})
            return Desk(tmp_path, stack.enter_context(serve(portal)))

        yield start


def test_an_id_that_two_directions_share_is_imported_twice(seeded: Seeded) -> None:
    """GET `all` names no direction, so two of its rows may read the same."""
    there = {"type_id": 28, "label": "Billing contact", "inverse": 29, "max": 1}
    back = {"type_id": 29, "label": "Billing contact", "inverse": 28}
    desk = seeded(
        {
            "types": [
                {"from": "tickets", "to": "contacts", **there},
                {"from": "contacts", "to": "tickets", **back},
            ]
        }
    )
    ran = desk.run_here("import")
    assert (ran.code, ran.last_line) == (0, "Imported: 7 limits in 5 files.")
    assert files(desk)["configs/contacts-tickets.yaml"] == (
        "from: tickets\nto: contacts\nlabels:\n  Billing contact: 1\n"
    )
    assert plan(desk) == NO_CHANGES


PROJECTS = "from: 0-970\nto: contacts\nmax: 2\n"
OWN_PROJECTS = "from: p1_project\nto: contacts\nmax: 3\n"


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ((), {"contacts-0-970": PROJECTS, "contacts-p1_project": OWN_PROJECTS}),
        (("--pair", "0-970:0-1"), {"contacts-projects": PROJECTS}),
        (("--pair", "0-1:p1_project"), {"contacts-p1_project": OWN_PROJECTS}),
    ],
)
def test_a_standard_name_that_a_custom_object_has_too_is_not_used(
    seeded: Seeded, arguments: tuple[str, ...], written: dict[str, str]
) -> None:
    """The object type ID is, and what is unmistakable of the custom object's names."""
    desk = seeded(
        {
            "object_types": [
                {"id": "2-9", "singular": "project", "plural": "projects",
                 "fully_qualified_name": "p1_project"}
            ],
            "types": [
                {"from": "2-9", "to": "contacts", "type_id": 90, "inverse": 91, "max": 3},
                {"from": "contacts", "to": "2-9", "type_id": 91, "inverse": 90},
            ],
            "limits": [{"from": "0-970", "to": "contacts", "type_id": 1242, "max": 2}],
        }
    )  # fmt: skip
    assert desk.run_here("import", *arguments).code == 0
    assert {f"configs/{name}.yaml": text for name, text in written.items()}.items() <= (
        files(desk).items()
    )
    assert plan(desk) == NO_CHANGES


def test_as_json(desk: Desk) -> None:
    """The files, what became of each, and what was left out."""
    document = desk.run_here("import", "--format", "json").json
    assert (document["format_version"], document["portal"]) == ("1.0", "default")
    assert {"path": PAIR, "status": "created", "limits": 3} in document["files"]
    assert (document["unplaced"], document["warnings"]) == ([], [])


def test_another_folder(desk: Desk) -> None:
    """It is made, and nothing is written elsewhere."""
    assert desk.run_here("import", "--out", "a/b").code == 0
    assert sorted(files(desk)) == sorted(each.replace("configs", "a/b") for each in EXAMPLE_FILES)


# ---------------------------------------------------------------- existing files


def test_files_that_differ_are_not_overwritten(imported: Desk) -> None:
    """The error says which, what to do, and that nothing was written, not even new files."""
    imported.write(PAIR, "# ours\n" + FRESH.replace("max: 5", "max: 7"))
    (imported.folder / EXAMPLE_FILES[0]).unlink()
    before = files(imported)
    ran = imported.run_here("import")
    assert ran.code == 1
    assert f"{PAIR} (1 limit); nothing was written" in ran.err
    assert "--update" in ran.err
    assert files(imported) == before


def test_a_file_by_another_name_is_found(imported: Desk) -> None:
    """A direction that any file of the folder declares is not declared again."""
    (imported.folder / PAIR).rename(imported.folder / "configs/ours.yml")
    before = files(imported)
    assert imported.run_here("import").code == 0
    assert files(imported) == before


def test_update_edits_one_value(imported: Desk) -> None:
    """The number alone; comments, order, quotes and layout stay."""
    text = (
        "# ours\nto:   companies\nfrom: 'contacts'\n"
        'inverse: {labels: {"Billing contact": {reason: why, max:   "unlimited"  }}}  # both\n'
        "\nlabels:\n    Billing contact:     3     # three\nmax: 5\n"
    )
    file = imported.write(PAIR, text)
    file.chmod(0o640)
    ran = imported.run_here("import", "--update")
    assert (ran.code, ran.out) == (
        0,
        f"updated {PAIR} (2 limits)\nImported: 2 limits in 1 file.\n",
    )
    expected = text.replace("     3 ", "     1 ").replace('"unlimited"', "2")
    assert file.read_text() == expected
    assert file.stat().st_mode & 0o777 == 0o640
    assert plan(imported) == NO_CHANGES


def test_update_adds_what_the_file_does_not_name(imported: Desk) -> None:
    """Labels in order, the object limit behind the object types, the other direction at the end."""
    imported.write(PAIR, "from: contacts   # ours\nto: companies\nlabels:\n  Decision maker: 3\n")
    edit(imported, "contacts", "companies", 30, 3)
    assert imported.run_here("import", "--update").code == 0
    assert files(imported)[PAIR] == (
        "from: contacts   # ours\nto: companies\nmax: 5\nlabels:\n"
        "  Billing contact: 1\n  Decision maker: 3\n"
        "inverse:\n  labels:\n    Billing contact: 2\n"
    )
    assert plan(imported) == NO_CHANGES


def test_update_says_that_a_limit_is_gone(imported: Desk) -> None:
    """`unlimited` in its place, so that its comment and reason stay."""
    edit(imported, "contacts", "companies", 28, None)
    edit(imported, "contacts", "companies", 279, None)
    assert imported.run_here("import", "--update").code == 0
    assert files(imported)[PAIR] == FRESH.replace("max: 5", "max: unlimited").replace(
        "contact: 1", "contact: unlimited"
    )
    assert plan(imported) == NO_CHANGES


def test_update_removes_labels_that_hubspot_no_longer_has(imported: Desk) -> None:
    """A renamed label goes, and its new name comes; comments above stay."""
    imported.write(
        PAIR, FRESH.replace("  Billing contact: 1\n", "  # who pays\n  Payer: 1 # one\n")
    )
    assert imported.run_here("import", "--update").code == 0
    assert files(imported)[PAIR] == FRESH.replace(
        "  Billing contact: 1\n", "  Billing contact: 1\n  # who pays\n"
    )
    assert plan(imported) == NO_CHANGES


def test_update_leaves_alone_what_the_file_does_not_manage(imported: Desk) -> None:
    """With `prune: false` only what it names."""
    text = "from: contacts\nto: companies\nmax: 4\nprune: false\ninverse:\n  max: 9\n"
    imported.write(PAIR, text)
    assert imported.run_here("import", "--update").code == 0
    assert files(imported)[PAIR] == text.replace("max: 4", "max: 5").replace("9", "unlimited")
    assert plan(imported) == NO_CHANGES


def test_update_of_one_pair(imported: Desk) -> None:
    """Other files stay, whatever differs."""
    imported.write(PAIR, FRESH.replace("max: 5", "max: 7"))
    imported.write(EXAMPLE_FILES[0], "from: car\nto: contacts\nmax: 9\n")
    assert imported.run_here("import", "--update", "--pair", "contact:company").code == 0
    assert files(imported)[PAIR] == FRESH
    assert files(imported)[EXAMPLE_FILES[0]] == "from: car\nto: contacts\nmax: 9\n"


def test_update_edits_the_overlay_that_a_value_comes_from(imported: Desk) -> None:
    """The shared file keeps what other portals have."""
    imported.write(
        "reconciler.yaml",
        "version: 1\nportals:\n  default:\n    token: {env: HUBSPOT_ACCESS_TOKEN}\n"
        "    overlays: [overlays/default]\n",
    )
    overlay = "overlays/default/contacts-companies.yaml"
    imported.write(overlay, "from: contacts\nto: companies\nmax: 5   # here\n")
    imported.write(PAIR, FRESH.replace("max: 5", "max: 4 # elsewhere"))
    assert plan(imported) == NO_CHANGES
    edit(imported, "contacts", "companies", 279, 6)
    edit(imported, "contacts", "companies", 28, 3)
    ran = imported.run_here("import", "--update")
    assert ran.code == 0, ran.err
    changed = files(imported)
    assert changed[overlay] == "from: contacts\nto: companies\nmax: 6   # here\n"
    assert changed[PAIR] == FRESH.replace("max: 5", "max: 4 # elsewhere").replace(
        "  Billing contact: 1", "  Billing contact: 3"
    )
    assert plan(imported) == NO_CHANGES


# ---------------------------------------------------------------- drift


@pytest.fixture
def repository(imported: Desk) -> Desk:
    """The import committed to main, and a branch checked out."""
    git(imported, "init", "-b", "main")
    git(imported, "add", "configs")
    git(imported, "commit", "-m", "Import the portal")
    git(imported, "checkout", "-b", "branch")
    return imported


def drift(desk: Desk, *arguments: str) -> Ran:
    """Take drift over, without the time between its two reads."""
    return desk.run_here(
        "import", "--update", "--drift", "--base", "main", "--settle", "0", *arguments
    )


def test_drift_is_taken_and_the_branch_s_own_change_kept(repository: Desk) -> None:
    """What somebody changed in HubSpot, and nothing that is only not applied yet."""
    repository.write(PAIR, FRESH.replace("max: 5", "max: 8"))
    edit(repository, "contacts", "companies", 28, 4)
    edit(repository, "deals", "contacts", 32, None)
    ran = drift(repository)
    assert ran.code == 0
    assert ran.last_line == "Imported: 2 limits in 2 files."
    changed = files(repository)
    assert changed[PAIR] == FRESH.replace("max: 5", "max: 8").replace("contact: 1", "contact: 4")
    assert changed[EXAMPLE_FILES[3]].endswith("Champion: unlimited\n")
    assert drift(repository).last_line == "Nothing to import."


def test_drift_reads_each_direction_once_and_what_drifted_again(repository: Desk) -> None:
    """What is taken over is what two reads agreed on, and no third one."""
    edit(repository, "deals", "contacts", 32, None)
    assert repository.server is not None
    before = len(repository.server.requests)
    assert drift(repository).last_line == "Imported: 1 limit in 1 file."
    read = Counter(
        each.path for each in repository.server.requests[before:] if "/configurations/" in each.path
    )
    (again,) = (path for path, times in read.items() if times > 1)
    assert again.endswith("/0-3/0-1")
    assert read[again] == 2


def test_a_limit_that_both_changed_is_left_alone(repository: Desk) -> None:
    """It is a conflict, which is reported: a person has to decide."""
    changed = FRESH.replace("max: 5", "max: 8")
    repository.write(PAIR, changed)
    edit(repository, "contacts", "companies", 279, 7)
    ran = drift(repository)
    assert (ran.code, ran.last_line) == (0, "Nothing to import. 1 conflict left alone.")
    assert "contacts → companies, object limit: changed in HubSpot and on this branch" in ran.err
    assert files(repository)[PAIR] == changed


def test_a_label_that_was_renamed_in_hubspot_is_drift(repository: Desk) -> None:
    """Its old name goes, and the new one is named."""
    old = FRESH.replace("  Billing contact: 1", "  # who pays\n  Payer: 1")
    repository.write(PAIR, old)
    git(repository, "commit", "-am", "When it was called so")
    git(repository, "branch", "-f", "main")
    assert drift(repository).code == 0
    assert files(repository)[PAIR] == FRESH.replace(
        "  Billing contact: 1\n", "  Billing contact: 1\n  # who pays\n", 1
    )


def test_drift_takes_no_direction_that_no_file_declares(repository: Desk) -> None:
    """That is what `import` and `status` are for."""
    edit(repository, "contacts", "deals", 4, 3)
    assert drift(repository).last_line.startswith("Nothing to import.")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--drift", "--base", "main"),
        ("--update", "--drift"),
        ("--update", "--base", "main"),
        ("--pair", "contacts"),
        ("--pair", "contacts:companies:deals"),
        ("--pair", "contacts:"),
        ("--pair", "contacts:nothing_of_that_name"),
        ("--out", ""),
        ("--out", "file"),
        ("--all-portals", "--shard", "2/2"),
    ],
)
def test_wrong_usage(desk: Desk, arguments: tuple[str, ...]) -> None:
    """Exit 64, and nothing is written."""
    desk.write("file", "")
    assert desk.run_here("import", *arguments).code == 64
    assert list(files(desk)) == ["file"]


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("read", ["all", "read", "labels", "account"])
def test_a_key_without_scopes(tmp_path: Path, read: str) -> None:
    """A read that is forbidden is not taken for empty: an error, and no file."""
    options = Options(faults=(parse_fault(f"{read}:403"),))
    with serve(example_portal(), options) as server:
        desk = Desk(tmp_path, server)
        ran = desk.run_here("import", "--pair", "contacts:companies") if read != "all" else None
        ran = ran or desk.run_here("import")
    assert ran.code == 1
    assert "scope" in ran.err
    assert files(desk) == {}


def test_a_target_that_is_a_folder(desk: Desk) -> None:
    """Nothing is written, not even the other files."""
    (desk.folder / PAIR).mkdir(parents=True)
    ran = desk.run_here("import")
    assert ran.code == 1
    assert f"cannot write {PAIR}: it is a folder; nothing was written" in ran.err
    assert files(desk) == {}


def test_a_file_in_the_way(desk: Desk) -> None:
    """A file of that name which declares something else is not overwritten."""
    text = "from: tickets\nto: deals\nmax: 1\nprune: false\n"
    desk.write(PAIR, text)
    ran = desk.run_here("import", "--pair", "contacts:companies")
    assert ran.code == 1
    assert "exists and does not declare this pair" in ran.err
    assert files(desk) == {PAIR: text}


def test_a_folder_that_takes_no_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known before anything is written."""
    monkeypatch.setattr("reconciler.cli.pair_changes.os.access", lambda *_: False)
    ran = desk.run_here("import")
    assert ran.code == 1
    assert "is not writable; nothing was written" in ran.err
    assert files(desk) == {}


def test_a_file_in_place_of_the_folder(desk: Desk) -> None:
    """Named by the option or by the workspace, the message names it."""
    desk.write("configs", "")
    desk.write("other", "")
    for arguments, name in (((), "configs"), (("--out", "other"), "other")):
        ran = desk.run_here("import", *arguments)
        assert ran.code == 64
        assert f"{name} is not a folder" in ran.err


def test_a_disk_that_fails_on_the_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written before it is named, and the next run does the rest."""
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patched:
        patched.setattr("reconciler.cli.pair_changes.Path.mkdir", Mock(side_effect=full))
        ran = desk.run_here("import", "--out", "new")
    assert "error: cannot write new/contacts-contacts.yaml: No space left" in ran.err
    assert "; nothing was written" in ran.err
    with monkeypatch.context() as patched:
        patched.setattr("reconciler.cli.files.os.link", Mock(side_effect=[None, full]))
        ran = desk.run_here("import")
    assert ran.code == 1
    assert f"cannot write {PAIR}: No space left on device" in ran.err
    assert "; written before it: configs/contacts-contacts.yaml\n" in ran.err
    assert desk.run_here("import").code == 0
    assert sorted(files(desk)) == sorted(EXAMPLE_FILES)


def test_a_link_in_place_of_a_new_file(desk: Desk) -> None:
    """It is not written through: nothing outside of the folder is touched."""
    (desk.folder / "configs").mkdir()
    (desk.folder / PAIR).symlink_to("../outside.yaml")
    ran = desk.run_here("import", "--pair", "contacts:companies")
    assert ran.code != 0
    assert not (desk.folder / "outside.yaml").exists()


def test_a_file_changed_meanwhile(imported: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody saved it while the portal was read: it is left as it is."""
    file = imported.write(PAIR, FRESH.replace("max: 5", "max: 7"))
    newer = FRESH.replace("max: 5", "max: 700")

    def saved_meanwhile(*arguments: object) -> object:
        seen = look(*arguments)  # type: ignore[arg-type] # passed on as they came
        file.write_text(newer)
        return seen

    monkeypatch.setattr("reconciler.cli.import_.look", saved_meanwhile)
    ran = imported.run_here("import", "--update")
    assert ran.code == 1
    assert "was changed while the command ran" in ran.err
    assert file.read_text() == newer


def test_the_wrong_portal_is_refused_before_anything_is_read(desk: Desk) -> None:
    """The workspace says whose limits these files are."""
    desk.write("reconciler.yaml", "version: 1\nportals:\n  production:\n    portal_id: 5\n")
    ran = desk.run_here("import")
    assert ran.code == 4
    assert "portal 5" in ran.err


def test_a_custom_object_that_is_gone(imported: Desk) -> None:
    """The file that names it is reported with its line; nothing is edited."""
    imported.write("configs/boat.yaml", "from: boat\nto: contacts\nmax: 1\n")
    before = files(imported)
    ran = imported.run_here("import", "--update")
    assert ran.code == 3
    assert "configs/boat.yaml:1:7: error[object-type-unknown]" in ran.err
    assert files(imported) == before


def test_a_label_deleted_in_the_middle(tmp_path: Path) -> None:
    """It is in the list of all limits, and no read shows it any more: reported, not invented."""
    rule = "read:edit,from=contacts,to=companies,type=28,max=none"
    with serve(example_portal(), Options(faults=(parse_fault(rule),))) as server:
        desk = Desk(tmp_path, server)
        ran = desk.run_here("import")
        assert (ran.code, ran.last_line) == (
            0,
            "Imported: 5 limits in 4 files. 1 limit could not be placed.",
        )
        assert 'not placed: USER_DEFINED/28 "Billing contact", limit 1' in ran.err
        assert files(desk)[PAIR] == FRESH.replace("labels:\n  Billing contact: 1\n", "", 1)
        assert plan(desk) == NO_CHANGES


def test_a_limit_that_no_file_can_say(tmp_path: Path) -> None:
    """It is left out and reported, and no plan removes it, however often it is imported."""
    rules = [
        f"{read}:put,key=userEnforcedMaxToObjectIds,value=60000,types=28"
        for read in ("all", "read")
    ]
    with serve(example_portal(), Options(faults=tuple(map(parse_fault, rules)))) as server:
        desk = Desk(tmp_path, server)
        ran = desk.run_here("import", "--pair", "contacts:companies")
        assert ran.code == 0
        assert "Billing contact (USER_DEFINED/28) is above what a file can say" in ran.err
        assert files(desk)[PAIR].endswith("\nprune: false\n")
        assert plan(desk) == NO_CHANGES
        desk.write(PAIR, FRESH.replace("max: 5", "max: 4"))
        ran = desk.run_here("import", "--update", "--pair", "contacts:companies")
        assert ran.code == 0
        assert "its limit is above 50000, the most that a file can say" in ran.err
        assert files(desk)[PAIR] == FRESH


def test_where_the_only_limit_goes_one_of_the_portal_takes_its_place(desk: Desk) -> None:
    """Not `max: unlimited`, by which the next plan would remove a limit that nobody managed."""
    text = "from: contacts\nto: companies\nprune: false\nlabels:\n  Gone: 1\n"
    desk.write(PAIR, text)
    for _ in range(2):
        ran = desk.run_here("import", "--update", "--pair", "contacts:companies")
        assert ran.code == 0, ran.err
        assert plan(desk) == NO_CHANGES
    assert ran.last_line == "Nothing to import. The files say what the portal has."
    assert "max: 5\nprune: false\nlabels: {}\n" in files(desk)[PAIR]


def test_a_limit_of_the_other_way_that_no_file_can_say(tmp_path: Path) -> None:
    """Where the other way is added to a file, no plan removes it either."""
    rules = [
        f"{read}:put,key=userEnforcedMaxToObjectIds,value=60000,types=29"
        for read in ("all", "read")
    ]
    portal = example_portal().with_limit("companies", "contacts", 280, 7)
    with serve(portal, Options(faults=tuple(map(parse_fault, rules)))) as server:
        desk = Desk(tmp_path, server)
        desk.write(PAIR, FRESH.partition("inverse")[0])
        ran = desk.run_here("import", "--update", "--pair", "contacts:companies")
        assert ran.code == 0
        assert "Billing contact (USER_DEFINED/29) is above what a file can say" in ran.err
        assert files(desk)[PAIR].endswith("inverse:\n  max: 7\n  prune: false\n")
        assert plan(desk) == NO_CHANGES
        assert server.limits("companies", "contacts")["USER_DEFINED", 29] == 2


def test_a_limit_that_no_file_can_say_is_no_difference(tmp_path: Path) -> None:
    """Importing again has nothing to do where only such limits are not in the files."""
    rules = [
        f"{read}:put,key=userEnforcedMaxToObjectIds,value=60000,types=29"
        for read in ("all", "read")
    ]
    with serve(example_portal(), Options(faults=tuple(map(parse_fault, rules)))) as server:
        desk = Desk(tmp_path, server)
        for _ in range(2):
            ran = desk.run_here("import", "--pair", "contacts:companies")
            assert ran.code == 0, ran.err
        assert ran.last_line.startswith("Nothing to import.")


def test_a_label_that_holds_the_token_is_not_written(desk: Desk) -> None:
    """A file is committed: what looks like the token in it is refused."""
    assert desk.server is not None
    desk.write("reconciler.yaml", "version: 1\nportals:\n  x: {token: {env: HUBSPOT_X}}\n")
    desk.variables["HUBSPOT_X"] = "sandbox-token"
    desk.variables["HUBSPOT_OTHER_TOKEN"] = "Champion"
    ran = desk.run_here("import", "--pair", "deals:contacts")
    assert ran.code == 1
    assert "contains the token; nothing was written" in ran.err
    assert list(files(desk)) == ["reconciler.yaml"]


def test_invalid_files_stop_it(imported: Desk) -> None:
    """What they declare is not known, so nothing is added beside them."""
    imported.write(PAIR, FRESH.replace("5", "0"))
    ran = imported.run_here("import")
    assert ran.code == 3
    assert f"{PAIR}:3:6: error[limit-out-of-range]" in ran.err
