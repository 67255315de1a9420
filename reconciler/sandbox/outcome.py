"""What an operation gives back: an answer, and the portal as it is afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from .history import Step
from .portal import Portal
from .problems import Problem
from .wire import Response

Answer = Response | Problem


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer with the portal after it, and the single changes of limits that led there."""

    answer: Answer
    portal: Portal
    steps: tuple[Step, ...] = ()
