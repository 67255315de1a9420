"""Files that the command line names: written completely or not at all, one for each portal."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from reconciler.errors import ReconcilerError, UsageProblem
from reconciler.opening import READING, WRITING, is_own, set_mode
from reconciler.outgoing import mask

_RENAME_IMPOSSIBLE = {errno.EACCES, errno.EPERM, errno.EBUSY, errno.EXDEV, errno.EROFS}
"""A folder that takes no new file, or a file that is a mount of its own, as in a container."""

_NO_HARD_LINKS = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What file systems without hard links answer: FAT, network drives, FUSE."""

_INHERITED = range(1, 10)
"""Descriptors that a shell may have opened for this process: `--out /dev/fd/3 3>file`."""


def check_output(option: str, name: str) -> None:
    """Raise unless `name` can be written, before any work is done for it.

    UsageProblem for a name that is empty or a folder's, ReconcilerError for a missing folder.
    """
    if not name or "\0" in name:
        raise UsageProblem(f"{option} needs the name of a file")
    try:
        if name.endswith(("/", os.sep)) or Path(name).is_dir():
            raise UsageProblem(f"{option} {name}: this is a folder, not a file")
        folder = Path(_followed(name)).parent
        is_there = folder.is_dir()
    except OSError as error:
        raise _not_written(name, error) from error
    if not is_there:
        raise ReconcilerError(
            f"cannot write {name}: there is no folder {folder}",
            hint=f"create it first: mkdir -p {folder}",
        )


def write_file(option: str, name: str, text: str) -> None:
    """Write the complete text to the file an option names, or leave the file as it was.

    A symbolic link is written through. Only nothing or a regular file is replaced, by a new file
    of the same mode beside it; a device, a FIFO or a stream of this process is opened and written
    to. Raises as `check_output` does, and ReconcilerError where writing fails.
    """
    check_output(option, name)
    try:
        _write(name, mask(text).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise _not_written(name, error) from error


def remove_older(option: str, name: str) -> None:
    """Remove an older run's file: it must not be taken for this one's when there is none."""
    target = Path(os.path.realpath(name))
    try:
        if target.is_file():
            target.unlink()
    except OSError as error:
        raise ReconcilerError(f"{option}: cannot write to {name}: {error.strerror}") from error


def replace_file(path: Path, content: bytes, *, was: bytes | None) -> None:
    """Put new bytes into a file that still holds `was`, or make it where that is None.

    The file keeps its mode, and holds the old bytes or the new ones at any moment. Raises
    ReconcilerError where it was changed meanwhile, or cannot be written.
    """
    try:
        if was is None:
            _create(path, content)
            return
        found, status = read_regular(path, len(was) + 1)
        if found != was:
            raise _changed(path)
        _overwrite(str(path), content, status)
    except FileExistsError as error:
        raise _changed(path) from error
    except OSError as error:
        raise _not_written(str(path), error) from error


def _changed(path: Path) -> ReconcilerError:
    return ReconcilerError(
        f"{path} was changed while the command ran; it is left as it is",
        hint="run the command again",
    )


def _create(path: Path, content: bytes) -> None:
    """Make a file with these bytes; raise FileExistsError where there is anything of that name."""
    descriptor, part = _beside(path, 0o666)
    try:
        try:
            _write_all(descriptor, content)
        finally:
            os.close(descriptor)
        try:
            os.link(part, path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))  # the name is ours now
            os.replace(part, path)  # noqa: PTH105 - one name is enough
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)  # noqa: PTH108 - a name of ours


def _not_written(name: str, error: OSError) -> ReconcilerError:
    return ReconcilerError(f"cannot write {name}: {error.strerror or error}")


def read_regular(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """At most so many bytes of a regular file, and its status.

    Raises OSError, for a pipe, a device and a folder too: reading one may never end.
    """
    descriptor = os.open(path, READING)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is not a regular file")
        return file.read(most), status


def _write(name: str, content: bytes) -> None:
    try:
        status = os.stat(name)  # noqa: PTH116 - the name as given: /dev/stdout is more than a link
    except FileNotFoundError:
        _replace(_followed(name), content, None)
        return
    stream = _own_stream(status)
    if stream is not None:
        _write_all(stream, content)
    elif stat.S_ISREG(status.st_mode):
        _overwrite(_followed(name), content, status)
    else:
        _write_in_place(name, content, 0)


def _followed(name: str) -> str:
    """The name behind every symbolic link. A link into nothing is followed, too."""
    return os.path.realpath(name)


def _own_stream(status: os.stat_result) -> int | None:
    """The stream of this process that is the same file: what was written there before stays."""
    for number in _INHERITED:
        with suppress(OSError):
            if os.path.samestat(status, os.fstat(number)) and _is_writable(number):
                return number
    return None


def _is_writable(descriptor: int) -> bool:
    try:
        import fcntl  # Windows has none, and no shell that opens such descriptors
    except ImportError:
        return False
    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY


def _overwrite(path: str, content: bytes, status: os.stat_result) -> None:
    """Put new content into a regular file, which keeps its mode, its owner and its other names.

    A file that may not be written is not replaced either, though its folder would allow that.
    """
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if status.st_nlink == 1 and is_own(status.st_uid):
        try:
            _replace(path, content, stat.S_IMODE(status.st_mode))
            return
        except OSError as error:
            if error.errno not in _RENAME_IMPOSSIBLE:
                raise
    _write_in_place(path, content, os.O_TRUNC)


def _replace(path: str, content: bytes, mode: int | None) -> None:
    """Write a file beside `path`, and rename it; `mode` None: what the umask leaves of 0666."""
    descriptor, part = _beside(Path(path), 0o666 if mode is None else 0o600)
    try:
        try:
            _write_all(descriptor, content)
            if mode is not None:
                set_mode(descriptor, mode)
        finally:
            os.close(descriptor)
        os.replace(part, path)  # noqa: PTH105 - one name is enough
    except BaseException:
        with suppress(OSError):
            os.unlink(part)  # noqa: PTH108 - as above
        raise


def _write_in_place(path: str, content: bytes, flags: int) -> None:
    descriptor = os.open(path, WRITING | flags, 0o666)
    try:
        _write_all(descriptor, content)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _beside(path: Path, mode: int) -> tuple[int, str]:
    """A new file in the folder of `path`, open for writing, and its name.

    Nobody can guess the name, and nothing that is there is opened: it could be a link. The system
    takes the umask off `mode` itself: this process could only read it by setting it for all threads.
    """
    part = str(path.parent / f".reconciler-{token_hex(8)}")
    return os.open(part, WRITING | os.O_CREAT | os.O_EXCL, mode), part


# ---------------------------------------------------------------- a file for each portal


def plan_names(out: str, portals: Sequence[str], *, several: bool) -> Mapping[str, str]:
    """The file of each portal's plan by the portal's name, known to be writable.

    `out` names the file of one plan, a folder for those of several portals, which is made, or a
    file with `{portal}` in its name. Older ones of several portals are removed: a portal that cannot
    be planned must not seem to have a plan. Raises as `check_output` does.
    """
    is_file = out.endswith(".json") or os.path.isfile(out)  # noqa: PTH113 - takes any name
    if several and is_file and len(portals) > 1 and "{portal}" not in out:
        raise UsageProblem(
            f"--out {out}: the plans of several portals need a folder",
            hint="name a folder: it is made, and gets a file PORTAL.json for each portal",
        )
    if "{portal}" in out:
        found = {name: out.replace("{portal}", stem) for name, stem in file_stems(portals).items()}
    elif several and not is_file:
        make_folder("--out", out)
        found = {
            name: os.path.join(out, f"{stem}.json")  # noqa: PTH118 - a name as given, not a Path
            for name, stem in file_stems(portals).items()
        }
    else:
        found = dict.fromkeys(portals, out)
    for name in found.values():
        check_output("--out", name)
    if several and ("{portal}" in out or not is_file):
        for name in found.values():
            remove_older("--out", name)
    return found


def make_folder(option: str, name: str) -> None:
    """Make a folder that an option names, unless it is there; raises as `check_output` does."""
    if not name or "\0" in name:
        raise UsageProblem(f"{option} needs the name of a folder")
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReconcilerError(f"cannot write {name}: {error.strerror or error}") from error


_LONGEST_STEM = 100
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
"""Names that Windows keeps for devices, with any suffix (documented)."""


def file_stems(names: Sequence[str]) -> dict[str, str]:
    """A name for a file of each portal: its own, where every file system can tell it from others.

    Names that differ in case alone, are longer than 100 characters, or stand for a device on
    Windows get a part of their hash, behind a character that no portal's name has.
    """
    folded = Counter(name.casefold() for name in names)

    def stem(name: str) -> str:
        fits = len(name) <= _LONGEST_STEM and not name.endswith(".")
        if fits and folded[name.casefold()] == 1 and not _DEVICES.match(name):
            return name
        return f"{name[:_LONGEST_STEM]}~{sha256(name.encode()).hexdigest()[:12]}"

    return {name: stem(name) for name in names}
