"""Carry a plan out, and believe nothing that was not read back."""
