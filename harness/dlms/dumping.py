"""A line's memory as plain data, and back. It holds keys: it is as secret as they are."""

from collections.abc import Mapping
from typing import Any

from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.initiate import Conformance
from emulator.crypto.dlms_keys import InvocationCounters, SecurityKeys
from harness.dlms.flows import Memory
from harness.dlms.session import Session, protection_of
from harness.meter import Credentials


def dump_memory(memory: Memory) -> dict[str, Any]:
    """Return a line's memory as JSON-able data."""
    return {
        "counters": memory.counters.dump(),
        "invoke": memory.invoke,
        "session": None if memory.session is None else _session(memory.session),
        "linked": None if memory.linked is None else _credentials(memory.linked),
        "baud": memory.baud,
        "speed": memory.speed,
        "flush_due": memory.flush_due,
        "lost": memory.lost,
    }


def load_memory(memory: Memory, state: Mapping[str, Any]) -> None:
    """Put a line's memory back; its counters stay the object they are."""
    memory.counters.load(state["counters"])
    linked, session = state["linked"], state["session"]
    memory.invoke = state["invoke"]
    memory.linked = None if linked is None else _credentials_of(linked)
    memory.session = None if session is None else _session_of(session, memory.counters)
    memory.baud, memory.speed = state["baud"], state["speed"]
    memory.flush_due, memory.lost = state["flush_due"], state["lost"]


def _session(session: Session) -> dict[str, Any]:
    protection = session.protection
    return {
        "credentials": _credentials(session.credentials),
        "server_title": None if protection is None else protection.peer_title.hex(),
        "protection": None if protection is None else protection.dump(),
        "offered": int(session.offered),
        "conformance": int(session.conformance),
        "max_pdu_bytes": session.max_pdu_bytes,
    }


def _session_of(state: Mapping[str, Any], counters: InvocationCounters) -> Session:
    credentials = _credentials_of(state["credentials"])
    protection = protection_of(credentials, counters, None)
    if protection is not None:
        protection.peer_title = bytes.fromhex(state["server_title"])
        protection.load(state["protection"], "session.protection")
    return Session(
        credentials,
        protection,
        Conformance(state["offered"]),
        Conformance(state["conformance"]),
        state["max_pdu_bytes"],
    )


def _credentials(credentials: Credentials) -> dict[str, Any]:
    secret, keys = credentials.secret, credentials.keys
    return {
        "name": credentials.name,
        "client": credentials.client,
        "mechanism": int(credentials.mechanism),
        "secret": None if secret is None else secret.hex(),
        "keys": None if keys is None else _keys(keys),
        "title": credentials.title.hex(),
        "suite": credentials.suite,
        "form": credentials.form.value,
        "server": credentials.server,
        "max_pdu_bytes": credentials.max_pdu_bytes,
        "lies": credentials.lies,
    }


def _credentials_of(state: Mapping[str, Any]) -> Credentials:
    secret, keys = state["secret"], state["keys"]
    return Credentials(
        state["name"],
        state["client"],
        Mechanism(state["mechanism"]),
        None if secret is None else bytes.fromhex(secret),
        None if keys is None else _keys_of(keys),
        bytes.fromhex(state["title"]),
        state["suite"],
        Form(state["form"]),
        state["server"],
        state["max_pdu_bytes"],
        state["lies"],
    )


def _keys(keys: SecurityKeys) -> dict[str, str | None]:
    broadcast = keys.broadcast
    return {
        "unicast": keys.unicast.hex(),
        "authentication": keys.authentication.hex(),
        "master": keys.master.hex(),
        "broadcast": None if broadcast is None else broadcast.hex(),
    }


def _keys_of(state: Mapping[str, str | None]) -> SecurityKeys:
    return SecurityKeys(**{name: bytes.fromhex(key) for name, key in state.items() if key})
