"""A webhook goes to public addresses, to the one that was checked, and nowhere else."""

import ipaddress
import socket
from collections.abc import Callable

import pytest

from webhook_sender.addresses import (
    AddressRefused,
    checked_addresses,
    is_public,
    is_this_machine,
    resolved,
)

PUBLIC = ["93.184.215.14", "8.8.8.8", "1.1.1.1", "2606:4700::6810:84e5", "2a00:1450:4001:82f::200e"]
ELSEWHERE = {
    "loopback": ["127.0.0.1", "127.8.9.10", "::1"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],  # noqa: S104 - nothing listens
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    "link-local, and what AWS tells a machine about itself": [
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fd00:ec2::254",
    ],
    "carrier-grade NAT": ["100.64.0.1", "100.127.255.254"],
    "unique local": ["fc00::1", "fdff::1"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "reserved and for documentation": [
        "192.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "240.0.0.1",
        "255.255.255.255",
        "2001:db8::1",
        "100::1",
    ],
    "an IPv4 address in an IPv6 one": [
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",  # 6to4
        "2002:808:808::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
    ],
    "site-local": ["fec0::1"],
}


def resolving(*addresses: str) -> Callable[[str, int], list[str]]:
    return lambda host, port: list(addresses)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_may_be_sent_to(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("kind", "address"),
    [(kind, address) for kind, addresses in ELSEWHERE.items() for address in addresses],
)
def test_no_other_address_may(kind: str, address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("bad", [each for found in ELSEWHERE.values() for each in found])
def test_one_address_that_may_not_be_spoils_all_of_a_name(bad: str) -> None:
    with pytest.raises(AddressRefused, match=r"^hooks\.example leads to an address"):
        checked_addresses("hooks.example", 443, may_be=is_public, resolve=resolving("8.8.8.8", bad))


def test_an_address_with_a_zone_is_still_the_address() -> None:
    with pytest.raises(AddressRefused):
        checked_addresses("h.example", 443, may_be=is_public, resolve=resolving("fe80::1%eth0"))


def test_ipv4_comes_first_and_nothing_twice() -> None:
    resolve = resolving("2606:4700::1111", "8.8.8.8", "8.8.8.8", "1.1.1.1")

    found = checked_addresses("h.example", 443, may_be=is_public, resolve=resolve)

    assert [str(each) for each in found] == ["8.8.8.8", "1.1.1.1", "2606:4700::1111"]


@pytest.mark.parametrize("problem", [socket.gaierror("no such name"), UnicodeError("label")])
def test_a_name_that_nobody_knows_is_refused_by_its_name(problem: Exception) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise problem

    with pytest.raises(AddressRefused, match=r"hooks\.example can't be resolved"):
        checked_addresses("hooks.example", 443, may_be=is_public, resolve=resolve)


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        checked_addresses("hooks.example", 443, may_be=is_public, resolve=resolving())


@pytest.mark.parametrize(
    "spelling", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001"]
)
def test_however_an_address_is_spelt_it_is_the_address_that_counts(spelling: str) -> None:
    with pytest.raises(AddressRefused):
        checked_addresses(spelling, 443, may_be=is_public, resolve=resolved)


@pytest.mark.parametrize(
    ("address", "is_here"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False)]
)
def test_plain_http_is_for_this_machine(address: str, is_here: bool) -> None:
    assert is_this_machine(ipaddress.ip_address(address)) == is_here
