"""The ports of an installation belong to it from its start, not only from when its servers listen."""

import socket

from config.environment import HOST, Ports


def free_web_port() -> int:
    """A port with the others of an installation free beside it."""
    for web in range(20_000, 60_000, 37):
        if Ports(web).taken() is None:
            return web
    raise AssertionError("no free ports")


def test_the_ports_of_a_start_are_taken_before_anybody_listens() -> None:
    ports = Ports(free_web_port())
    held = ports.hold()
    try:
        assert ports.taken() == ports.web
        assert Ports(ports.tracking).taken() == ports.tracking
    finally:
        for holder in held:
            holder.close()
    assert ports.taken() is None


def test_a_held_port_lets_our_own_server_listen_and_answer() -> None:
    ports = Ports(free_web_port())
    held = ports.hold()
    server = socket.socket()
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind((HOST, ports.web))
        server.listen()
        with socket.create_connection((HOST, ports.web), timeout=5) as visitor:
            accepted, _address = server.accept()
            with accepted:
                visitor.sendall(b"hello")
                assert accepted.recv(5) == b"hello"
    finally:
        for one in (server, *held):
            one.close()
