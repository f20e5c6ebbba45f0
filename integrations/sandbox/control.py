"""The control API of a world, below `…/_ctl/`: no vendor has it; tests and the pages of the sandbox use it.

POST reset     {"seed": 7, "now": "2026-03-01T12:00:00Z"}   from the beginning; without `now` the clock runs with ours
POST seed      what the world's `seed` takes
POST faults    [fault, …] (see faults.py), in place of those that were set
POST clock     {"advance_s": 5184001} or {"now": "…" | null}
GET  journal   {"requests": [every request, oldest first]}
POST <verb>    what the world offers besides (`World.verbs`)
"""

from datetime import datetime
from typing import Any

from integrations.sandbox.faults import BadFault, Faults
from integrations.sandbox.http import Reply, Request, World
from integrations.sandbox.journal import Journal

PREFIX = "/_ctl/"


def answer(world: World, faults: Faults, journal: Journal, request: Request) -> Reply:
    """Do what the request asks of the world's making; what it does not understand is a 400 that says so."""
    verb = request.path.removeprefix(PREFIX).strip("/")
    if request.method == "GET":
        return Reply.json(200, {"requests": journal.entries()}) if verb == "journal" else _unknown(verb)
    try:
        asked = request.json() if request.body else {}
        with world.lock:
            return _act(verb, asked, world, faults, journal)
    except (BadFault, ValueError, KeyError, TypeError) as error:
        return Reply.json(400, {"error": f"{type(error).__name__}: {error}"})


def _act(verb: str, asked: Any, world: World, faults: Faults, journal: Journal) -> Reply:
    if verb == "reset":
        faults.replace([])
        journal.clear()
        now = moment(asked.get("now"))
        world.clock.set(now)
        world.reset(asked.get("seed"), now)
    elif verb == "seed":
        return Reply.json(200, world.seed(asked) or {})
    elif verb == "faults":
        faults.replace(asked)
    elif verb == "clock":
        if "now" in asked:
            world.clock.set(moment(asked["now"]))
        world.clock.advance(asked.get("advance_s", 0))
        return Reply.json(200, {"now": world.clock.now().isoformat()})
    elif verb in world.verbs:
        return Reply.json(200, world.verbs[verb](world, asked) or {})
    else:
        return _unknown(verb)
    return Reply.json(200, {})


def moment(text: str | None) -> datetime | None:
    """An instant with its offset; ValueError for one without."""
    if text is None:
        return None
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} names no zone")
    return parsed


def _unknown(verb: str) -> Reply:
    return Reply.json(404, {"error": f"the control API has no {verb!r}"})
