"""What an editor shows while a pair file is typed, by the YAML language server and our schemas."""

from __future__ import annotations

from pathlib import Path

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.server import serve
from tests.cli.running import Desk
from tests.project.language_server import editor

MODELINE = "# yaml-language-server: $schema=../.reconciler/pair.schema.json\n"


def test_a_misspelt_label_is_underlined_while_it_is_typed(tmp_path: Path) -> None:
    """With the portal's schema: its labels are offered, with the limit in force beside them."""
    with serve(example_portal()) as server:
        desk = Desk(tmp_path, server)
        schema = desk.run_here("schema", "pair", "--portal", "default")
    assert schema.code == 0, schema.err
    desk.write(".reconciler/pair.schema.json", schema.out)
    desk.write(
        "configs/a.yaml",
        f"{MODELINE}from: contacts\nto: companies\nlabels:\n  Biling contact: 1\n",
    )
    desk.write(
        "configs/b.yaml",
        f"{MODELINE}from: companies\nto: contacts\nmax: 5\ninverse:\n  labels:\n    Billing contact: 1\n    \n",
    )
    with editor(tmp_path) as opened:
        assert opened.open("configs/a.yaml") == ["Property Biling contact is not allowed."]
        assert opened.open("configs/b.yaml") == []
        assert "In force in portal default: 1." in opened.hover("configs/b.yaml", 6, 8)
        assert "Decision maker" in opened.complete("configs/b.yaml", 7, 4)


def test_every_key_is_explained_without_a_portal(tmp_path: Path) -> None:
    """The schema that needs no portal: keys are checked, and each says what it is."""
    desk = Desk(tmp_path)
    desk.write(".reconciler/pair.schema.json", desk.run_here("schema", "pair").out)
    desk.write("configs/a.yaml", f"{MODELINE}from: contacts\nto: companies\nmaximum: 5\n")
    desk.write("configs/b.yaml", f"{MODELINE}from: contacts\nto: companies\nmax: 5\n")
    with editor(tmp_path) as opened:
        assert "Property maximum is not allowed." in opened.open("configs/a.yaml")
        assert opened.open("configs/b.yaml") == []
        assert "object limit" in opened.hover("configs/b.yaml", 3, 1)
