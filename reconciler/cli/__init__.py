"""The command line: the only place that prints or exits."""

from reconciler.cli.root import main

__all__ = ["main"]
