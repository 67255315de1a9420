"""A plan, a result or diagnostics as text, markdown, HTML, mermaid, annotations and SARIF.

Every function is pure and returns a string without a line end at its end.
"""
