"""The stand-in for Dataverse with Dynamics 365 Sales; its answers are those of the Web API v9.2.

world.py         the environment: routes, what its admin may do to a connection
security.py      Entra's tokens, the application user, privileges, service protection
webapi.py        requests of the Web API; batch.py, reading.py, filters.py, metadata.py, actions.py are parts of it
organisation.py  the platform's rules for records; payloads.py, rows.py, tables.py, columns.py, errors.py
people.py        the sales organisation that lives there; selling.py what it does; page.py its page
"""

from integrations.sandbox.dynamics.world import Dataverse

__all__ = ["Dataverse"]
