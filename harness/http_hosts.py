"""Who asks over HTTP on this machine: hosts that no page elsewhere can take for its own."""

import ipaddress
from collections.abc import Sequence


def names_this_machine(hosts: Sequence[str], own: str) -> bool:
    """Say whether a request's ``Host`` names this machine by a name that no other can take.

    A page elsewhere that has its own name point here (DNS rebinding) comes with that name.

    Args:
        hosts: Every ``Host`` header of the request.
        own: The host that was asked to listen at, in lower case.
    """
    if len(hosts) != 1:
        return False
    host = without_port(hosts[0].casefold())
    if host in {"localhost", own}:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def without_port(host: str) -> str:
    """Return a host without its port, an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host
