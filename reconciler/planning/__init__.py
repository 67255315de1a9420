"""From desired and observed limits to a plan: pure functions, nothing is read or written."""
