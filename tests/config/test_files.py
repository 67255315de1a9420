"""Pair files are found on disk, each once, in sorted order; what cannot be read is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.config import sources as files
from reconciler.config.loading import load
from reconciler.config.sources import Source, collect
from reconciler.errors import ConfigurationInvalid, Severity


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(*names: str) -> None:
    """Files with their own name in them."""
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n", encoding="utf-8")


def find_sources(paths: list[Path]) -> list[Source]:
    """The files found; raises where one cannot be read."""
    sources, diagnostics = collect(paths)
    if any(each.severity is Severity.ERROR for each in diagnostics):
        raise ConfigurationInvalid(diagnostics)
    return sources


def names(*paths: str) -> list[str]:
    """The paths of the files found."""
    return [each.path for each in find_sources([Path(path) for path in paths])]


def problems(*paths: str) -> list[tuple[str, str, int, int]]:
    """Code and place of what cannot be read."""
    with pytest.raises(ConfigurationInvalid) as caught:
        find_sources([Path(path) for path in paths])
    return [
        (each.code, each.place.path, each.place.line, each.place.column)
        for each in caught.value.diagnostics
    ]


def test_all_yaml_files_below_in_sorted_order() -> None:
    """Both suffixes, at any depth; hidden ones, others and the workspace file left out."""
    write("configs/b.yaml", "configs/a.yml", "configs/team/z.yaml", "configs/team/.git/x.yaml")
    write("configs/.hidden.yaml", "configs/c.json", "configs/reconciler.yaml", "configs/B.yaml")
    write("configs/x.yaml.bak", "configs/notes.md")
    assert names("configs") == [
        "configs/B.yaml",
        "configs/a.yml",
        "configs/b.yaml",
        "configs/team/z.yaml",
    ]


def test_a_file_given_itself_is_taken_as_it_is() -> None:
    """Hidden, of another suffix, or named like the workspace file: it was asked for."""
    write(".x", "reconciler.yaml", "a.txt")
    assert names(".x", "reconciler.yaml", "a.txt") == [".x", "reconciler.yaml", "a.txt"]


def test_a_hidden_directory_given_itself_is_searched() -> None:
    """Only what is found on the way is left out."""
    write(".github/limits/a.yaml")
    assert names(".github/limits") == [".github/limits/a.yaml"]


def test_a_file_reached_twice_is_read_once() -> None:
    """Overlapping paths, links and case tricks would otherwise be duplicate directions."""
    write("configs/a.yaml", "configs/team/b.yaml")
    Path("configs/link.yaml").symlink_to("a.yaml")
    Path("configs/zlink").symlink_to("team")
    assert names("configs/team", "configs", "configs/a.yaml", ".") == [
        "configs/team/b.yaml",
        "configs/a.yaml",
    ]


def test_paths_are_shown_from_the_current_directory() -> None:
    """With forward slashes, so that annotations of a pull request find them."""
    write("configs/a.yaml", "sub/.keep")
    assert names(str(Path("configs").resolve())) == ["configs/a.yaml"]
    assert names("./configs") == ["configs/a.yaml"]
    os.chdir("sub")
    assert names("../configs") == ["../configs/a.yaml"]


def test_bytes_that_are_no_text_in_a_name_are_replaced() -> None:
    """A file name may be any bytes; what is shown can be printed and written."""
    Path("configs").mkdir()
    Path(os.fsdecode(b"configs/\xff.yaml")).write_bytes(b"# x\n")
    assert names("configs") == ["configs/\ufffd.yaml"]


def test_what_is_missing_is_said_at_the_path() -> None:
    """All of it in one go."""
    write("a.yaml")
    Path("dangling.yaml").symlink_to("nowhere")
    assert problems("no.yaml", "a.yaml", "configs") == [
        ("file-missing", "configs", 1, 1),
        ("file-missing", "no.yaml", 1, 1),
    ]
    assert problems(".") == [("file-missing", "dangling.yaml", 1, 1)]


def test_a_loop_of_links_is_noticed() -> None:
    """Below a directory, and as a link to itself."""
    write("configs/team/a.yaml")
    Path("configs/team/up").symlink_to("..")
    assert problems("configs") == [("directory-loop", "configs/team/up", 1, 1)]
    Path("self.yaml").symlink_to("self.yaml")
    assert problems("self.yaml") == [("file-unreadable", "self.yaml", 1, 1)]


def test_what_is_no_regular_file_is_not_opened() -> None:
    """Reading a pipe would wait for ever."""
    Path("configs").mkdir()
    os.mkfifo("configs/pipe.yaml")
    assert problems("configs") == [("file-unreadable", "configs/pipe.yaml", 1, 1)]


def test_a_directory_named_like_a_file_is_a_directory() -> None:
    """It is searched."""
    write("configs/x.yaml/a.yaml")
    assert names("configs") == ["configs/x.yaml/a.yaml"]


def test_a_file_over_one_mebibyte_is_refused_without_reading_it_all() -> None:
    """Neither memory nor time depends on its size."""
    with Path("big.yaml").open("wb") as file:
        file.truncate(1 << 40)
    assert problems("big.yaml") == [("file-too-large", "big.yaml", 1, 1)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said_to_be_unreadable() -> None:
    """In the words of the system."""
    write("configs/a.yaml")
    Path("configs/a.yaml").chmod(0)
    assert problems("configs") == [("file-unreadable", "configs/a.yaml", 1, 1)]


def test_a_name_that_no_system_takes_is_unreadable() -> None:
    """Too long, or with a NUL: a diagnostic, no traceback."""
    assert problems("x" * 5000) == [("file-unreadable", "x" * 5000, 1, 1)]
    assert problems("a\0b")[0][0] == "file-unreadable"


@pytest.mark.parametrize("name", ["a.YAML", "a.Yml", "a.yAmL"])
def test_a_suffix_in_capitals_is_a_warning(name: str) -> None:
    """On a disk that ignores case it looks like a pair file, and nobody reads it."""
    Path("configs").mkdir()
    Path("configs/b.yaml").write_text("from: contacts\nto: companies\nmax: 5\n")
    Path("configs", name).write_text("from: contacts\nto: deals\nmax: 5\n")
    loaded = load([Path("configs")])
    assert [each.path for each in loaded.desired.files] == ["configs/b.yaml"]
    (warning,) = loaded.warnings
    assert (warning.code, warning.place.path) == ("file-suffix", f"configs/{name}")
    assert warning.severity is Severity.WARNING
    assert warning.hint == f"rename it to configs/a.{name[2:].lower()}"


def test_only_files_with_a_suffix_in_capitals_are_no_pair_files() -> None:
    """The error says that there are none, the warning why."""
    Path("configs").mkdir()
    Path("configs/a.YAML").write_text("from: contacts\nto: deals\nmax: 5\n")
    with pytest.raises(ConfigurationInvalid) as caught:
        load([Path("configs")])
    assert {each.code for each in caught.value.diagnostics} == {"pair-files-missing", "file-suffix"}


def test_other_files_are_left_out_without_a_word() -> None:
    """Notes, copies and hidden files are nobody's mistake."""
    Path("configs").mkdir()
    Path("configs/b.yaml").write_text("from: contacts\nto: companies\nmax: 5\n")
    for name in ("README.md", "b.yaml.bak", ".c.YAML", "yaml"):
        Path("configs", name).write_text("")
    assert load([Path("configs")]).warnings == ()


@pytest.mark.parametrize(
    "content",
    ["", "\n\n", "# from: contacts\n# to: companies\n", "---\n", "---\n---\n# x\n", "~\n"],
)
def test_a_file_that_declares_nothing_is_a_warning(content: str) -> None:
    """Emptied or commented out, its limits are silently no longer managed."""
    Path("configs").mkdir()
    Path("configs/a.yaml").write_text(content)
    Path("configs/b.yaml").write_text("---\n# one\n---\nfrom: contacts\nto: companies\nmax: 5\n")
    (warning,) = load([Path("configs")]).warnings
    assert (warning.code, warning.place.path) == ("file-declares-nothing", "configs/a.yaml")
    assert warning.severity is Severity.WARNING


def test_what_cannot_be_read_is_bounded() -> None:
    """However many links lead nowhere."""
    Path("configs").mkdir()
    for number in range(1_200):
        Path(f"configs/{number}.yaml").symlink_to("nowhere")
    found = problems("configs")
    assert len(found) == 1_001
    assert [each for each in found if each[0] == "files-too-many"]


def test_the_number_of_files_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The diagnostic names the first that was not read."""
    monkeypatch.setattr(files, "MAXIMUM_FILES", 3)
    write(*(f"configs/{number}.yaml" for number in range(5)))
    assert problems("configs") == [("files-too-many", "configs/3.yaml", 1, 1)]
    assert len(names(*(f"configs/{number}.yaml" for number in range(3)))) == 3


def test_the_size_of_all_files_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is small enough, all together are not."""
    monkeypatch.setattr(files, "MAXIMUM_TOTAL", 40)
    write(*(f"configs/{number}.yaml" for number in range(5)))
    assert problems("configs") == [("files-too-many", "configs/2.yaml", 1, 1)]
