"""Faults: answers and accidents that a client must survive, each given by a rule."""

from .language import Fault, FaultError, parse_fault
from .schedule import Schedule

__all__ = ["Fault", "FaultError", "Schedule", "parse_fault"]
