"""The project around the package: examples, documents, make targets."""
