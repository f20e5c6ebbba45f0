"""A local SMTP sink: takes everything, pipelining included, and counts. Runs as a process of its own."""

import asyncio
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized

REPLIES = {b"MAIL": b"250 OK\r\n", b"RCPT": b"250 OK\r\n", b"RSET": b"250 OK\r\n", b"NOOP": b"250 OK\r\n"}


class _Session(asyncio.Protocol):
    """One connection: command lines, or a message up to the line with a single dot."""

    def __init__(self, counts: list[Synchronized]) -> None:
        self.counts, self.buffer, self.is_data = counts, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        replies = []
        while True:
            end = b"\r\n.\r\n" if self.is_data else b"\r\n"
            part, found, rest = self.buffer.partition(end)
            if not found:
                break
            self.buffer = rest
            replies.append(self._reply(part))
        if replies:
            self.transport.write(b"".join(replies))

    def _reply(self, part: bytes) -> bytes:
        if self.is_data:
            self.is_data = False
            self.counts[0].value += 1
            self.counts[1].value += len(part)
            return b"250 OK\r\n"
        verb = part[:4].upper()
        if verb == b"DATA":
            self.is_data = True
            # A message may follow in the same packet with the terminator at its very start.
            return b"354 Go on\r\n"
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if verb == b"QUIT":
            self.transport.close()
            return b""
        return REPLIES.get(verb, b"250 OK\r\n")


def _serve(listener: socket.socket, counts: list[Synchronized]) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Session(counts), sock=listener)
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def running() -> Iterator[tuple[int, list[Synchronized]]]:
    """(port, [messages, bytes of them]) of a sink that runs while the block does."""
    listener = socket.create_server(("127.0.0.1", 0))
    context = multiprocessing.get_context("fork")
    counts = [context.Value("q", 0, lock=False) for _ in range(2)]
    process = context.Process(target=_serve, args=(listener, counts), daemon=True)
    process.start()
    try:
        yield listener.getsockname()[1], counts  # type: ignore[misc]
    finally:
        process.kill()
        process.join()
        listener.close()
