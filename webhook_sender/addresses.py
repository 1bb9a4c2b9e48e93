"""Which addresses a webhook may be sent to: the public ones alone.

A URL's name is resolved once, every address it has is checked, and the request goes to one of these: were
the name resolved again for it, whoever owns the name could give another answer in between.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

# All unicast addresses of the internet. What else there is leads home, or wraps an IPv4 address.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_TUNNELS = (ipaddress.IPv6Network("2001::/23"), ipaddress.IPv6Network("2002::/16"))


class AddressRefused(Exception):
    """The name can't be resolved, or leads where no webhook may go. The message names the host alone."""


def is_public(address: Address) -> bool:
    """Say whether an address is one of the internet's, whatever may stand behind it."""
    if isinstance(address, ipaddress.IPv6Address):
        is_wrapped = any(address in network for network in _TUNNELS)
        return address in _GLOBAL_UNICAST and address.is_global and not is_wrapped
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_this_machine(address: Address) -> bool:
    return address.is_loopback


def checked_addresses(
    host: str, port: int, *, may_be: Callable[[Address], bool], resolve: Resolve
) -> list[Address]:
    """Return the addresses of a host, IPv4 first. Raises AddressRefused if a single one may not be."""
    try:
        found = [ipaddress.ip_address(each.partition("%")[0]) for each in resolve(host, port)]
    except (OSError, UnicodeError) as exc:
        raise AddressRefused(f"{host} can't be resolved") from exc
    if not found:
        raise AddressRefused(f"{host} has no address")
    if not all(map(may_be, found)):
        raise AddressRefused(f"{host} leads to an address that is not public")
    return sorted(dict.fromkeys(found), key=lambda address: address.version)


def resolved(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
