"""Couriers: a thread per connection that makes mails and hands them to the server. No courier touches the database."""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from typing import cast

from messaging import making, outcomes
from messaging.journal import Journal, Result
from messaging.making import Made, Ready
from messaging.outcomes import Outcome
from messaging.smtp import Connection, Mail, Notes, Reply, Unusable
from messaging.transports import Transport

logger = logging.getLogger(__name__)

# A connection with nothing to do is kept this many seconds.
PATIENCE = 1.0


class Desk:
    """What couriers share: messages to send, results, and whether to stop. Every method may be called by any thread."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._ready: deque[Ready] = deque()
        self._results: deque[Result] = deque()
        self._doubtful: deque[int] = deque()
        self._changed = threading.Condition()
        self._is_stopping = False

    def put(self, messages: list[Ready]) -> None:
        with self._changed:
            self._ready.extend(messages)
            self._changed.notify(len(messages))

    def take(self) -> Ready | None:
        """The next message, or None at once if there is none (or couriers are to stop)."""
        try:
            return None if self._is_stopping else self._ready.popleft()
        except IndexError:
            return None

    def wait(self, seconds: float) -> bool:
        """Wait until there is something to take; False when there is not, in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ready or self._is_stopping, seconds) and not self._is_stopping

    def put_back(self, message: Ready) -> None:
        self._ready.appendleft(message)

    def finish(self, result: Result) -> None:
        self.journal.result(result)
        self._results.append(result)

    def doubt(self, message_id: int) -> None:
        self._doubtful.append(message_id)

    def stop(self) -> None:
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def drain(self) -> tuple[list[Result], list[int]]:
        """(results, doubtful messages) since the last time."""
        return _emptied(self._results), _emptied(self._doubtful)

    def left_over(self) -> list[int]:
        """After the couriers have ended: the messages that nobody took."""
        return [message.id for message in _emptied(self._ready)]

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def result_count(self) -> int:
        return len(self._results)


class Courier(threading.Thread):
    """One connection's work: opens it, sends while there is something, ends when idle, refused or told to stop."""

    def __init__(self, desk: Desk, transport: Transport) -> None:
        super().__init__(name="courier", daemon=True)
        # Why the server could not be used, if so; `is_ours` when only we can mend it.
        self.error = ""
        self.is_ours = False
        self.has_connected = False
        # It carried mail and left nothing in doubt.
        self.was_useful = False
        self._desk = desk
        self._transport = transport
        self._in_hand: dict[int, Ready] = {}
        self._begun: int | None = None

    def run(self) -> None:
        """Work until there is nothing to do; `error` says why the server could not be used, if so."""
        try:
            connection = Connection(self._transport)
        except Unusable as error:
            self.error, self.is_ours = str(error), error.is_ours
            return
        self.has_connected = True
        try:
            while self._desk.wait(PATIENCE):
                connection.deliver(self._mails(), Notes(self._attempt, self._result))
        except Unusable as error:
            self.error = str(error)
            logger.warning("The connection to %s ended: %s", self._transport.name, error)
        finally:
            connection.close()
            self._let_go()

    @property
    def is_busy(self) -> bool:
        """Whether it has a mail in hand or is still connecting."""
        return self.is_alive() and (bool(self._in_hand) or not self.has_connected)

    def _mails(self) -> Iterator[Made]:
        """Mails made of what is ready; what cannot be made has failed. The next one is held until its result."""
        while (message := self._desk.take()) is not None:
            try:
                mail = making.make(message)
            except making.CannotBeMade as error:
                self._desk.finish(Result(message.id, Outcome.BROKEN, 0, str(error)))
                continue
            self._in_hand[message.id] = message
            yield mail

    def _attempt(self, mail: Mail) -> None:
        number = cast(Made, mail).id
        self._desk.journal.attempt(number)
        self._begun = number

    def _result(self, mail: Mail, reply: Reply) -> None:
        number = cast(Made, mail).id
        self._desk.finish(Result(number, outcomes.classify(reply), reply.code, reply.text))
        self._in_hand.pop(number, None)
        self._begun = None
        self.was_useful = True

    def _let_go(self) -> None:
        """Give back what was not begun; what was begun without a reply is doubtful."""
        if self._begun is not None:
            self._in_hand.pop(self._begun, None)
            self._desk.doubt(self._begun)
            self.was_useful = False
        for message in self._in_hand.values():
            self._desk.put_back(message)


def _emptied(items: deque) -> list:
    taken = []
    while items:
        taken.append(items.popleft())
    return taken
