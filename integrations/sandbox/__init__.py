"""Stand-ins of the partners: real HTTP servers that answer, and refuse, as LinkedIn and Dataverse do.

They ship with the product so that a newcomer can try a connection without an account at the vendor, and the tests run
against the same ones. Nothing in here knows the product: only the standard library is imported, and a client reaches
a stand-in by its base URL alone.

    http.py      what a request and a reply are, the clock of a world
    faults.py    what can be made to go wrong, and when
    control.py   the control API of a world, `…/_ctl/`, which no vendor has
    server.py    the server: worlds by key, the journal, cut lines
"""
