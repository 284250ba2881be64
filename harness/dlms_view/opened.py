"""Exchanges with the protection of their APDUs taken off, where the keys are at hand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from emulator.codecs.dlms.apdu_ciphered import CipheredApdu
from emulator.core.errors import MalformedFrameError
from emulator.crypto import dlms_cipher
from emulator.crypto.dlms_keys import SecurityKeys
from harness.dlms_view.conversation import Exchange, ExchangeKind, is_next_block
from harness.dlms_view.told import value_of


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """What opens the APDUs of one client's association.

    Attributes:
        keys: Global keys.
        client_title: System title of the client, eight octets.
        server_title: System title of the meter, eight octets.
    """

    keys: SecurityKeys = field(repr=False)
    client_title: bytes
    server_title: bytes


#: Service access point of a client -> what opens its APDUs.
KeyRing = Mapping[int, ClientKeys]


def opened(exchanges: Iterable[Exchange], ring: KeyRing) -> list[Exchange]:
    """Return exchanges with plain APDUs; what cannot be opened stays as it is.

    Blocks that protection hid become parts of the exchange they belong to. APDUs under a dedicated
    key, or keys that are not in the ring, stay protected.
    """
    found: list[Exchange] = []
    for exchange in exchanges:
        keys = ring.get(exchange.client) if exchange.client is not None else None
        plain = exchange if keys is None else _opened(exchange, keys)
        before = found[-1] if found else None
        if before is not None and plain is not exchange and _goes_on(before, plain):
            found[-1] = replace(
                before,
                requests=before.requests + plain.requests,
                answers=before.answers + plain.answers,
            )
        else:
            found.append(plain)
    return found


def _opened(exchange: Exchange, keys: ClientKeys) -> Exchange:
    if exchange.kind is not ExchangeKind.SERVICE:
        return exchange
    requests = tuple(_plain(one, keys.keys, keys.client_title) for one in exchange.requests)
    answers = tuple(_plain(one, keys.keys, keys.server_title) for one in exchange.answers)
    if (requests, answers) == (exchange.requests, exchange.answers):
        return exchange
    return replace(exchange, requests=requests, answers=answers)


def _plain(apdu: bytes, keys: SecurityKeys, title: bytes) -> bytes:
    try:
        value = value_of(apdu)
    except MalformedFrameError:
        return apdu
    if not isinstance(value, CipheredApdu) or value.form.dedicated or value.control.compressed:
        return apdu
    key = keys.broadcast if value.control.broadcast else keys.unicast
    if key is None:
        return apdu
    plain = dlms_cipher.unprotect(key, keys.authentication, title, value)
    return apdu if plain is None else plain


def _goes_on(before: Exchange, plain: Exchange) -> bool:
    same = (before.kind, before.client) == (plain.kind, plain.client)
    return same and bool(before.answers) and is_next_block(plain.request)
