"""Who is who for a device that answers messages out of files: by certificates, or as told."""

from collections.abc import Iterable, Sequence
from typing import Final

from device_profiles.words import RemoteParty
from emulator.codecs.gbcs import envelope
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate
from emulator.crypto.keystore import KeyStore
from harness.errors import UsageError

_NEXT: Final = "smetsbench gbcs answer --help"
#: Roles that a device knows parties in.
_ROLES: Final = {
    "supplier": RemoteParty.SUPPLIER,
    "network-operator": RemoteParty.NETWORK_OPERATOR,
    "acb": RemoteParty.ACCESS_CONTROL_BROKER,
    "wan-provider": RemoteParty.WAN_PROVIDER,
    "transitional-cos": RemoteParty.TRANSITIONAL_COS,
    "recovery": RemoteParty.RECOVERY,
    "load-controller": RemoteParty.LOAD_CONTROLLER,
}


def addressed(messages: Sequence[bytes]) -> Eui64:
    """Return the target of the first message that can be read.

    Raises:
        UsageError: None can.
    """
    reasons = []
    for message in messages:
        try:
            return envelope.decode(message).header.target
        except MalformedFrameError as error:
            at = f", octet {error.offset}" if error.offset >= 0 else ""
            reasons.append(f"{error.why} ({len(message)} octets, {error.layer}{at})")
    raise UsageError(
        "no message says whom it is for",
        where="FILE",
        cause="; ".join(["no whole GBCS message is there", *reasons[:1]]),
        next_command="smetsbench gbcs answer … --eui64 EUI64",
    )


def parties_of(
    store: KeyStore, messages: Sequence[bytes], told: Iterable[tuple[str, str]]
) -> dict[RemoteParty, Eui64]:
    """Return who is known in which role.

    Of several parties with certificates of one role, the one that the messages name is taken, or
    else the first of the key store.

    Args:
        store: Key store with certificates.
        messages: The messages to be answered.
        told: Pairs of role and EUI-64 that win.

    Raises:
        UsageError: An unknown role, no EUI-64, or nobody is known as ACB.
    """
    named = _named(messages)
    found: dict[RemoteParty, list[Eui64]] = {}
    for entry in store.entries():
        role = _role_of(entry.certificate)
        if role is not None and entry.eui64 not in found.setdefault(role, []):
            found[role].append(entry.eui64)
    parties = {
        role: next((one for one in named if one in candidates), candidates[0])
        for role, candidates in found.items()
        if role in _ROLES.values()
    }
    for word, text in told:
        parties[_role(word)] = _eui64(text)
    if RemoteParty.ACCESS_CONTROL_BROKER not in parties:
        raise UsageError(
            "nobody is known as Access Control Broker",
            where="--keystore",
            cause="no certificate in it has the role (OU) 04",
            next_command="smetsbench gbcs answer … --party acb=EUI64",
        )
    return dict(sorted(parties.items()))


def _named(messages: Sequence[bytes]) -> list[Eui64]:
    named: list[Eui64] = []
    for message in messages:
        try:
            header = envelope.decode(message).header
        except MalformedFrameError:
            continue
        party = header.other.supplementary_party
        named += [header.originator, *([party] if party else [])]
    return named


def _role_of(der: bytes | None) -> RemoteParty | None:
    if der is None:
        return None
    try:
        role = certificate.read(der).role
        return None if role is None else RemoteParty(role)
    except (MalformedFrameError, ValueError):
        return None  # an odd certificate says nothing of roles


def _role(word: str) -> RemoteParty:
    role = _ROLES.get(word.lower())
    if role is None:
        raise UsageError(
            f"no role {word!r}",
            where="--party",
            cause=f"one of {', '.join(_ROLES)}",
            next_command=_NEXT,
        )
    return role


def _eui64(text: str) -> Eui64:
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise UsageError(
            str(error), where="--party", cause="16 hex digits are due", next_command=_NEXT
        ) from error
