"""The guard: where the product may connect to because a company asked for it.

Whoever enters an address could make this server ask its own network: the database, the cloud's metadata service, a
printer. So every address that a tenant enters goes through `parse` when it is entered, and through `reach` each time
before it is called:

    address = parse("https://hooks.example.com/in")     # the spelling: https, a full name, an open port
    ip = reach(address)                                 # every address that the name has now is a public one

`integrations.calling` then connects to exactly that `ip`, whatever the name says a moment later. Both raise `Refused`.
"""

import ipaddress
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

LONGEST = 2_000
# Seconds for finding a name's addresses.
RESOLVE = 5.0
SCHEME_PORTS = {"https": 443, "http": 80}
# A full name: at least two labels, the last of which is no number in any base (browsers and libcs read "0x7f.1" so).
NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Names that are never public, whatever a resolver says.
NEVER_PUBLIC = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "onion", "test", "invalid")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
# (host name, port) -> the IP addresses that it has now; raises OSError.
Resolver = Callable[[str, int], list[str]]

# IANA's special-purpose registries: everything that is not somebody's public address.
_CLOSED_V4 = [
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        # A cloud's metadata service that stands outside of all of them: reached from within Azure only.
        "168.63.129.16/32",
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
# Global unicast is 2000::/3. Mapped (::ffff:0:0/96), unique local, link-local and multicast lie outside of it; these
# lie inside: protocol assignments with Teredo, documentation, and 6to4, which carries an IPv4 address.
_OPEN_V6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_V6 = [ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
# What an IPv6-only network puts before the IPv4 address of a public host (RFC 6052).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Refused(ValueError):
    """An address to which the product does not connect; the text says why, for whoever entered it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address whose spelling has been checked. `host` is a name or an IP address without brackets."""

    scheme: str
    host: str
    port: int
    target: str
    # One of SANDBOX_ORIGINS: a partner's stand-in on this machine.
    is_sandbox: bool = False

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == SCHEME_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    def __str__(self) -> str:
        return self.origin + self.target


def parse(text: str) -> Address:
    """Read an address strictly: one spelling for each place, or `Refused`. Asks no network."""
    if len(text) > LONGEST:
        raise Refused(_("This address is too long."))
    if not text.isascii() or re.search(r"[\x00-\x20\x7f\\<>\"{}|^`]", text):
        raise Refused(_("An address has no spaces or special characters; write a name with accents as xn--…."))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Refused(_("This is not an address.")) from None
    if parts.scheme not in SCHEME_PORTS or not text.startswith(f"{parts.scheme}://") or not parts.hostname:
        raise Refused(_("An address begins with https://."))
    if "@" in parts.netloc or "#" in text:
        raise Refused(_("An address has no user name, password or #fragment."))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    found = Address(parts.scheme, parts.hostname, port or SCHEME_PORTS[parts.scheme], target)
    _check_spelling(parts.netloc, found)
    if found.origin in settings.SANDBOX_ORIGINS and _is_loopback(found.host):
        return Address(found.scheme, found.host, found.port, target, is_sandbox=True)
    _check_place(found)
    return found


def reach(address: Address, resolver: Resolver | None = None, is_open: Callable[[str], bool] | None = None) -> str:
    """The IP address to connect to now: the first that the name has, if all of them are open to us.

    One closed address among several refuses the name: which of them would be used is nobody's promise. Raises Refused,
    and OSError when the name cannot be resolved.
    """
    if address.is_sandbox:
        return address.host
    found = (resolver or resolve)(address.host, address.port)
    if not found:
        raise OSError(f"{address.host} has no address")
    closed = [ip for ip in found if not (is_open or is_public)(ip)]
    if closed:
        raise Refused(_("%(host)s lies in a private network: %(ip)s.") % {"host": address.host, "ip": closed[0]})
    return found[0]


def resolve(host: str, port: int, within: float = RESOLVE) -> list[str]:
    """All IPv4 and IPv6 addresses of a host, in the system's order; a literal is its own.

    Raises OSError, TimeoutError among them after `within` seconds: the system's resolver keeps its own time, so it is
    asked by a thread that nobody waits for longer.
    """
    answers: SimpleQueue[list[Any] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = answers.get(timeout=within)
    except Empty:
        raise TimeoutError(f"no address of {host} within {within:g} seconds") from None
    if isinstance(found, OSError):
        raise found
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(ip: str) -> bool:
    """Whether an IP address is somebody's public one: unicast, global, and no wrapping of one that is not."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False  # with a zone (fe80::1%eth0), or no address at all
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        else:
            return address in _OPEN_V6 and not any(address in closed for closed in _CLOSED_V6)
    return not any(address in closed for closed in _CLOSED_V4)


def _check_spelling(netloc: str, address: Address) -> None:
    """The authority is what we would write ourselves: no trailing dot, odd digits, leading zeros or empty port."""
    explicit = f"{address.authority}:{address.port}"
    if netloc.lower() not in (address.authority, explicit):
        raise Refused(_("This host is not written the usual way."))
    literal = _literal(address.host)
    if literal is None and not NAME.fullmatch(address.host):
        raise Refused(_("A host is a full name such as hooks.example.com."))
    if literal is not None and str(literal) != address.host:
        raise Refused(_("This host is not written the usual way."))


def _check_place(address: Address) -> None:
    if address.scheme != "https":
        raise Refused(_("An address begins with https://."))
    if address.port not in settings.OUTGOING_PORTS:
        ports = ", ".join(map(str, settings.OUTGOING_PORTS))
        raise Refused(_("Only these ports are called: %(ports)s.") % {"ports": ports})
    if _literal(address.host) is None and address.host.rpartition(".")[2] in NEVER_PUBLIC:
        raise Refused(_("%(host)s is no public name.") % {"host": address.host})
    if _literal(address.host) is not None and not is_public(address.host):
        raise Refused(_("%(host)s lies in a private network.") % {"host": address.host})


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return literal is not None and literal.is_loopback
