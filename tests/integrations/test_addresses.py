import ipaddress
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import addresses
from integrations.addresses import Address, Refused, is_public, parse, reach

SPELLINGS = [
    # Another scheme, or none.
    "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://hooks.example.com/",
    "hooks.example.com", "//hooks.example.com/", "https:/hooks.example.com", "https:hooks.example.com", "HTTPS://a.example/",
    "https://", "", "javascript:alert(1)",
    # Loopback, by every name that some parser understands.
    "https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://0x7f.1/", "https://0x7f000001/",
    "https://0x7f.0x0.0x0.0x1/", "https://2130706433/", "https://017700000001/", "https://0177.0.0.1/",
    "https://127.0.0.01/", "https://127.00.0.1/", "https://0/", "https://0.0.0.0/", "https://[::1]/", "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/",
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/", "https://127.0.0.1./",
    # Private, link-local, shared, multicast, reserved, the clouds' metadata.
    "https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.1.1/", "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/", "https://[fd00:ec2::254]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/", "https://[ff02::1]/", "https://224.0.0.1/", "https://255.255.255.255/", "https://198.18.0.1/",
    "https://192.0.2.1/", "https://[2001:db8::1]/", "https://metadata.google.internal/", "https://printer.local/",
    "https://intranet/", "https://router.lan/",
    # A closed IPv4 address in an IPv6 one: mapped, 6to4, NAT64, Teredo.
    "https://[::ffff:10.0.0.1]/", "https://[::ffff:169.254.169.254]/", "https://[2002:7f00:1::]/", "https://[2002:a00:1::1]/",
    "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::10.0.0.1]/", "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[::ffff:0:127.0.0.1]/",
    # Names that are read as others, or read differently by two parsers.
    "https://hooks.example.com./", "https://hooks..example.com/", "https://.example.com/", "https://hooks.example.com:/",
    "https://hooks。example。com/", "https://１２７.0.0.1/", "https://ⓛocalhost/", "https://bücher.example/",
    "https://user@hooks.example.com/", "https://user:pass@hooks.example.com/", "https://hooks.example.com@127.0.0.1/",
    "https://127.0.0.1#@hooks.example.com/", "https://hooks.example.com\\@127.0.0.1/", "https://hooks.example.com%00.evil.example/",
    "https://hooks.example.com%2f@127.0.0.1/", "https://hooks_example.com/", "https://-hooks.example.com/", "https://a.b.1/",
    "https://hooks.example.com /", " https://hooks.example.com/", "https://hooks.example.com/\r\nX: y", "https://hooks.example.com/\t",
    "https://[::1/", "https://[hooks.example.com]/", "https://hooks.example.com/#part",
    "https://a.example/" + "a" * 2_000,
    # Ports.
    "https://hooks.example.com:22/", "https://hooks.example.com:6379/", "https://hooks.example.com:0/",
    "https://hooks.example.com:65536/", "https://hooks.example.com:443a/", "https://hooks.example.com:+443/",
    "https://hooks.example.com:0443/", "https://hooks.example.com:-1/",
]  # fmt: skip


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_spelling_that_may_lead_inside_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse(text)
    assert str(refusal.value)


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/"),
        ("https://hooks.example.com:8443/in?a=b&c=%20d", "hooks.example.com", 8443, "/in?a=b&c=%20d"),
        ("https://Hooks.Example.com/In", "hooks.example.com", 443, "/In"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://9.9.9.9/", "9.9.9.9", 443, "/"),
        ("https://[2620:fe::fe]:8443/x", "2620:fe::fe", 8443, "/x"),
    ],
)
def test_a_public_address_is_taken_apart(text: str, host: str, port: int, target: str) -> None:
    assert parse(text) == Address("https", host, port, target)


def test_an_address_is_written_back_as_one_spelling() -> None:
    assert str(parse("https://Hooks.Example.com:443")) == "https://hooks.example.com/"
    assert str(parse("https://[2620:fe::fe]:8443/x")) == "https://[2620:fe::fe]:8443/x"


def test_the_sandbox_is_one_exact_origin_on_this_machine(settings: object) -> None:
    settings.SANDBOX_ORIGINS = ["http://127.0.0.1:9009", "http://10.0.0.1:80"]  # type: ignore[attr-defined]
    assert reach(parse("http://127.0.0.1:9009/in")) == "127.0.0.1"
    for other in ("http://127.0.0.1:9008/", "https://127.0.0.1:9009/", "http://localhost:9009/", "http://10.0.0.1/"):
        with pytest.raises(Refused):
            parse(other)


V4 = st.ip_addresses(v=4)
V6 = st.one_of(
    st.ip_addresses(v=6),
    st.ip_addresses(v=6, network="2000::/3"),
    *(
        st.ip_addresses(v=6, network=network)
        for network in ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "fe80::/10", "fc00::/7", "ff00::/8", "2001::/23")
    ),
)


@given(st.one_of(V4, V6))
def test_nothing_that_the_registries_keep_for_themselves_is_public(ip: ipaddress.IPv4Address) -> None:
    """Held against the standard library's own tables, which know most of them."""
    if is_public(str(ip)):
        kept = ("is_private", "is_loopback", "is_link_local", "is_multicast", "is_unspecified")
        assert [name for name in kept if getattr(ip, name)] == []
        assert not (ip.is_reserved and ip.version == 4)
        assert getattr(ip, "ipv4_mapped", None) is None
        assert getattr(ip, "sixtofour", None) is None
        assert getattr(ip, "teredo", None) is None


@given(V4)
def test_wrapping_an_ipv4_address_never_opens_it(ip: ipaddress.IPv4Address) -> None:
    number = int(ip)
    for wrapped in (0xFFFF << 32 | number, 0x2002 << 112 | number << 80, number):
        assert not is_public(str(ipaddress.IPv6Address(wrapped)))
    assert is_public(str(ipaddress.IPv6Address(0x64FF9B << 96 | number))) == is_public(str(ip))


@given(st.one_of(V4, V6))
def test_a_literal_is_taken_exactly_if_it_is_public(ip: ipaddress.IPv4Address) -> None:
    host = f"[{ip}]" if ip.version == 6 else str(ip)
    # Written with a mixed tail ("::1.2.3.4") Python and the world may differ: such literals are all closed.
    if is_public(str(ip)):
        assert reach(parse(f"https://{host}/")) == str(ip)
    else:
        with pytest.raises(Refused):
            parse(f"https://{host}/")


@given(V4)
def test_other_ways_to_write_an_ipv4_address_are_refused(ip: ipaddress.IPv4Address) -> None:
    a, b, c, d = ip.packed
    for host in (
        str(int(ip)),
        hex(int(ip)),
        f"{a}.{b << 16 | c << 8 | d}",
        f"0x{a:x}.{b}.{c}.{d}",
        f"0{a:o}.{b}.{c}.{d}",
    ):
        with pytest.raises(Refused):
            parse(f"https://{host}/")


def names(*ips: str) -> addresses.Resolver:
    """A resolver that knows one answer."""
    return lambda host, port: list(ips)


def test_a_name_is_reached_at_the_address_that_it_has() -> None:
    assert reach(parse("https://hooks.example.com/"), names("9.9.9.9", "2620:fe::fe")) == "9.9.9.9"


@pytest.mark.parametrize(
    "closed",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "168.63.129.16", "::1", "fe80::1%eth0", "::ffff:10.0.0.1"],
)
def test_one_closed_address_among_several_refuses_the_name(closed: str) -> None:
    with pytest.raises(Refused, match=r"hooks\.example\.com"):
        reach(parse("https://hooks.example.com/"), names("9.9.9.9", closed))


def test_a_name_without_an_address_is_not_found() -> None:
    with pytest.raises(OSError, match="no address"):
        reach(parse("https://hooks.example.com/"), names())


def test_a_resolver_that_hangs_holds_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **how: hangs.wait(30) and [])
    with pytest.raises(TimeoutError):
        addresses.resolve("slow.example.com", 443, within=0.01)
    hangs.set()
    assert addresses.resolve("quick.example.com", 443) == []


def test_a_name_that_is_unknown_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_how: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(socket.gaierror):
        addresses.resolve("nowhere.example.com", 443)
