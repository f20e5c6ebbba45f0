"""Importing people, companies and leads from files.

A file is *read* into pieces of rows (`reading`, `pieces`), its columns are mapped to targets (`columns`), each row is
*cleaned* (`cleaning`) and rows about one person or company are *folded* within a piece (`folding`). A piece is written
by some twenty statements in one transaction (`writing`, `accounts`, `contacts`, `consents`), which also writes its
`ImportPiece`: the evidence that it was done, and all that it takes to undo it (`undoing`). `running` does so piece by
piece, for the worker and for `manage.py import_people`; a trial is the same without the commit.
"""
