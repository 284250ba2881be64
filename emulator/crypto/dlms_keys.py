"""Symmetric keys of a DLMS security setup, and the invocation counters that go with each."""

import enum
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Self

from emulator.codecs.dlms.dumped import Dumped
from emulator.core.errors import EmulatorError
from emulator.core.values import quick
from emulator.crypto.dlms_cipher import KEY_BYTES

_LAST_COUNTER: Final = (1 << 32) - 1
_FINGERPRINT_BYTES: Final = 8
_DUMPED: Final = frozenset({"sent", "received"})


class CounterExhaustedError(EmulatorError):
    """A key has protected all the messages its 32-bit invocation counter allows."""


class KeyId(enum.IntEnum):
    """Which key of a security setup.

    Source:
        IEC 62056-6-2 Security setup (class 64), key_id of key_transfer.
    """

    UNICAST = 0
    BROADCAST = 1
    AUTHENTICATION = 2
    MASTER = 3


@quick
@dataclass(frozen=True, slots=True)
class SecurityKeys:
    """The keys of one security setup, 16 octets each.

    Attributes:
        unicast: Global unicast encryption key.
        authentication: Global authentication key.
        master: Key that wraps the others in a transfer.
        broadcast: Global broadcast encryption key; None when not held.
    """

    unicast: bytes = field(repr=False)
    authentication: bytes = field(repr=False)
    master: bytes = field(repr=False)
    broadcast: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for key in (self.unicast, self.authentication, self.master, self.broadcast):
            if key is not None and len(key) != KEY_BYTES:
                raise ValueError(f"a key has {KEY_BYTES} octets, not {len(key)}")

    def with_key(self, key_id: KeyId, key: bytes) -> Self:
        """Return the keys with one replaced.

        Raises:
            ValueError: ``key`` has not 16 octets.
        """
        unicast, authentication = self.unicast, self.authentication
        master, broadcast = self.master, self.broadcast
        if key_id is KeyId.UNICAST:
            unicast = key
        elif key_id is KeyId.BROADCAST:
            broadcast = key
        elif key_id is KeyId.AUTHENTICATION:
            authentication = key
        else:
            master = key
        return type(self)(unicast, authentication, master, broadcast)


class InvocationCounters:
    """Counters of every key ever used, by key and sender, sent and received.

    A new key begins anew. A key that comes back, as in a rollback of credentials, goes on where
    it stood: no counter value is ever used or accepted twice under one key.

    Source:
        IEC 62056-5-3 on invocation counters (rising, per key); that a returning key keeps its
        counters: invented, the standard does not foresee it.
    """

    def __init__(self) -> None:
        self._sent: dict[str, int] = {}
        self._received: dict[str, int] = {}

    def draw(self, key: bytes, title: bytes) -> int:
        """Return the next counter to send under ``key`` as ``title``; the first is 1.

        Raises:
            CounterExhaustedError: None is left.
        """
        name = _name(key, title)
        counter = self._sent.get(name, 0) + 1
        if counter > _LAST_COUNTER:
            raise CounterExhaustedError("invocation counter exhausted: transfer a new key")
        self._sent[name] = counter
        return counter

    def sent(self, key: bytes, title: bytes) -> int:
        """Return the last counter sent; 0 for none."""
        return self._sent.get(_name(key, title), 0)

    def resume(self, key: bytes, title: bytes, last_sent: int) -> None:
        """Go on after ``last_sent``, as a client does that asked the meter; never back."""
        name = _name(key, title)
        self._sent[name] = max(self._sent.get(name, 0), last_sent)

    def expected(self, key: bytes, title: bytes) -> int:
        """Return the least counter to accept from ``title`` under ``key``."""
        return self._received.get(_name(key, title), -1) + 1

    def accept(self, key: bytes, title: bytes, counter: int) -> bool:
        """Accept ``counter`` and every greater one after it; say whether it was acceptable."""
        name = _name(key, title)
        if not self._received.get(name, -1) < counter <= _LAST_COUNTER:
            return False
        self._received[name] = counter
        return True

    def dump(self) -> dict[str, dict[str, int]]:
        """Return the counters as JSON-able data; keys stand in it as fingerprints."""
        return {"sent": dict(self._sent), "received": dict(self._received)}

    def load(self, state: object, path: str = "counters") -> None:
        """Take over the counters of a ``dump``.

        Raises:
            DumpedStateError: A value is missing or no counter; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        sent, received = (dumped.numbers(name, _LAST_COUNTER) for name in ("sent", "received"))
        self._sent, self._received = sent, received


@lru_cache(maxsize=256)
def _name(key: bytes, title: bytes) -> str:
    fingerprint = hashlib.sha256(b"dlms invocation counter" + key).digest()[:_FINGERPRINT_BYTES]
    return f"{fingerprint.hex()}/{title.hex()}"
