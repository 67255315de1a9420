"""Many portals behind one address, each with a token and an ID of its own, and their workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.sandbox.example import PORTAL_ID, example_portal
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import Options, Sandbox
from tests.cli.running import Desk

TOKEN = "token-of-the-fleet"
PAIR = "from: contacts\nto: companies\nmax: 8\nlabels: {Billing contact: 2}\n"


def name(number: int) -> str:
    """What the workspace calls a portal; they count from 1."""
    return f"p{number:03}"


class Fleet(Desk):
    """The folder and environment of a workspace with many portals."""

    sandboxes: Mapping[str, Sandbox]

    @property
    def names(self) -> list[str]:
        return list(self.sandboxes)

    def writes_to(self, portal: str) -> list[str]:
        """The operations of every write that a portal was sent."""
        return [
            str(each.operation)
            for each in self.sandboxes[portal].requests
            if each.operation in {"update", "create", "purge"}
        ]

    def limit_of(self, portal: str) -> int | None:
        """The object limit of contacts → companies, which the pair file sets to 8."""
        limits = self.sandboxes[portal].limits("contacts", "companies")
        return next((each for (_, type_id), each in limits.items() if type_id == 279), None)


@contextmanager
def fleet(
    folder: Path,
    portals: int,
    *,
    latency: float = 0,
    faults: Mapping[int, str] | None = None,
    second_token: str | None = None,
) -> Iterator[Fleet]:
    """So many portals; `faults`: what goes wrong, by the number of the portal.

    `second_token`: another key of the first portal's account.
    """
    rules = {number: (parse_fault(rule),) for number, rule in (faults or {}).items()}

    def options(number: int) -> Options:
        token = f"{TOKEN}-{number}"
        return Options(token, latency=latency, faults=rules.get(number, ()))

    others = [
        Sandbox(example_portal(PORTAL_ID + number - 1), options(number))
        for number in range(2, portals + 1)
    ]
    again = [] if second_token is None else [Sandbox(example_portal(), Options(second_token))]
    with serve(example_portal(), options(1), others=[*others, *again]) as server:
        found = Fleet(folder, server)
        found.sandboxes = {name(at): each for at, each in enumerate([server, *others], 1)}
        found.variables = {f"HUBSPOT_{each.upper()}": f"{TOKEN}-{at}"
                           for at, each in enumerate(found.names, 1)}  # fmt: skip
        found.write("reconciler.yaml", workspace(found.names))
        found.write("configs/contacts-companies.yaml", PAIR)
        yield found


def workspace(names: list[str], more: Mapping[str, str] | None = None) -> str:
    """A workspace file; `more`: further keys of a portal."""
    extra = {each: f", {words}" for each, words in (more or {}).items()}
    lines = [
        f"  {each}: {{token: {{env: HUBSPOT_{each.upper()}}}{extra.get(each, '')}}}"
        for each in names
    ]
    return "\n".join(["version: 1", "portals:", *lines, ""])
