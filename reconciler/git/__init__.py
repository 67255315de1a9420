"""Asks git: repositories, their commits, and the files of these. Nothing else runs git."""
