"""Faults: answers and accidents that a client must survive, told by rules."""

from .language import Fault, FaultError, parse_fault
from .schedule import Schedule

__all__ = ["Fault", "FaultError", "Schedule", "parse_fault"]
