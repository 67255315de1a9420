"""Files in git → desired limits, each value knowing its file, line and column."""
