"""Carry a plan out, and verify every write by reading it back."""
