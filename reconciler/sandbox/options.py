"""How a stand-in is set up, apart from the portal it starts with."""

from __future__ import annotations

from dataclasses import dataclass, field

from .faults import Fault
from .rules import Rules

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - a token for nothing but the stand-in


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be chosen.

    `rate`: requests per ten seconds over all endpoints; None: the limit and label endpoints are
    exempt and carry no rate headers (documented), the others are held to 190. `latency`: seconds
    before every answer. `faults`: rules of the fault language, already parsed.
    """

    token: str = field(default=DEFAULT_TOKEN, repr=False)
    rules: Rules = field(default_factory=Rules)
    rate: int | None = None
    latency: float = 0.0
    faults: tuple[Fault, ...] = ()
