"""The command without its start: a Python that has imported it forks for every call.

A recipe calls `reconciler` some hundred times in the tests, and every call would import the same
modules. What a process of its own has, a call has here too: arguments, folder, environment, umask,
the three streams themselves, an exit code. `machine.Machine(real=True)` starts the real one.
"""

from __future__ import annotations

import ast
import atexit
import functools
import importlib
import os
import pkgutil
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

_CLIENT = """
import _socket, os, sys
umask = os.umask(0)
os.umask(umask)
said = repr((sys.argv[2:], os.getcwd(), umask, dict(os.environ))).encode()
caller = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
caller.connect(sys.argv[1])
streams = b"".join(each.to_bytes(4, sys.byteorder) for each in (0, 1, 2))
caller.sendmsg([b"."], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
while said:
    said = said[caller.send(said):]
caller.shutdown(_socket.SHUT_WR)
os._exit((caller.recv(1) or b"\\xff")[0])
"""
"""Python for `-I -S -c`: the socket's path, then the command's arguments. No import but C's."""


def command() -> str:
    """The shell's words for the command; its arguments follow."""
    return f"\"{sys.executable}\" -I -S -c '{_CLIENT}' '{_address()}'"


@functools.cache
def _address() -> Path:
    """The socket of this process's warm Python, which is started by the first call."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    path = folder / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(16)
        started = subprocess.Popen(
            [sys.executable, "-I", __file__, str(listening.fileno())],
            pass_fds=[listening.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env={
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                "PYDANTIC_DISABLE_PLUGINS": "__all__",
            },
        )

    def end() -> None:
        started.terminate()
        started.wait()
        shutil.rmtree(folder)

    atexit.register(end)
    return path


def serve(listening: socket.socket) -> None:
    """Fork for every call until this process is ended, or the tests are gone."""
    tests = os.getppid()
    _import_everything()
    listening.settimeout(5)
    while os.getppid() == tests:
        try:
            caller, _ = listening.accept()
        except TimeoutError:
            continue
        with caller:
            _reap()
            _, streams, _, _ = socket.recv_fds(caller, 1, 3)
            if os.fork() == 0:
                listening.close()
                _answer(caller, streams)
            for each in streams:
                os.close(each)


def _import_everything() -> None:
    package = importlib.import_module("reconciler")
    for found in pkgutil.walk_packages(package.__path__, "reconciler."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def _reap() -> None:
    """Take the children that have ended, so that their time counts as this process's."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def _answer(caller: socket.socket, streams: list[int]) -> None:
    """Be the command that was called; never returns."""
    said = b"".join(iter(lambda: caller.recv(65536), b""))
    arguments, folder, umask, environ = ast.literal_eval(said.decode())
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.umask(umask)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["reconciler", *arguments]
    code = 255
    try:
        runpy.run_module("reconciler", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody caught
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        caller.send(bytes([code]))
        os._exit(0)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        serve(listening)
