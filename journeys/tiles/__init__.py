"""The kinds of tiles, one file each; `registry` has their common ground."""
