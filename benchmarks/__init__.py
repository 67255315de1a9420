"""Measurements side by side in one run: `make bench`. Nothing is asserted about time."""
