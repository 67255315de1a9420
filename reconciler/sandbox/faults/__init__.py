"""Faults: answers and accidents that a client must survive, each given by a rule."""
