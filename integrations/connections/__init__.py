"""Connections to other systems: set up, paused, stopped, authorised again; their tokens and their runs."""
