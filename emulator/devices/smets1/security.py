"""The device's keys, secrets and counters, and the protection of the APDUs of one association."""

from collections.abc import Mapping
from typing import Final

from emulator.codecs.dlms.apdu_ciphered import TITLE_BYTES, Form
from emulator.codecs.dlms.dumped import Dumped
from emulator.crypto.dlms_cipher import KEY_BYTES
from emulator.crypto.dlms_factory import FactoryKeys, SigningKeys
from emulator.crypto.dlms_keys import InvocationCounters, SecurityKeys
from emulator.crypto.dlms_security import SecurityContext
from emulator.devices.saved import Json

#: Octets that protection adds at most: tag, length, control, counter and authentication tag, and
#: in a general frame the sender's title. Source: IEC 62056-5-3 ciphered APDUs, counted.
SERVICE_OVERHEAD_BYTES: Final = 1 + 3 + 5 + 12
GENERAL_OVERHEAD_BYTES: Final = SERVICE_OVERHEAD_BYTES + 1 + TITLE_BYTES
#: Counters that one request may use up: reply to a challenge, and the answer that carries it.
_COUNTERS_A_REQUEST: Final = 2
_LAST_COUNTER: Final = (1 << 32) - 1
_KEYS: Final = frozenset({"unicast", "authentication", "master", "broadcast"})
_NAMES: Final = frozenset({"keys", "secrets", "titles", "counters"})


def overhead_bytes(form: Form) -> int:
    """Return how many octets an answer of that form has beyond its plain APDU, at most."""
    if form is Form.PLAIN:
        return 0
    return GENERAL_OVERHEAD_BYTES if form.general else SERVICE_OVERHEAD_BYTES


class DeviceSecurity:
    """What the device keeps through power cuts: keys in force, secrets, counters of every key.

    Keys replaced by a key transfer are in force for every association from then on; one that
    stands already goes on under the keys it began with until it ends.

    Attributes:
        suite: Security suite, 0 or 1.
        counters: Invocation counters, by key and system title.

    Source:
        inferred: the standard does not say what becomes of a standing association; the client
        associates anew with the new keys (reference serial-dlms.md 8.1).
    """

    def __init__(self, factory: FactoryKeys, suite: int, first_counter: int) -> None:
        self.suite = suite
        self.counters = InvocationCounters()
        self._factory = factory
        self._first_counter = first_counter
        self._secrets = dict(factory.secrets)
        self._titles: list[bytes] = []
        self._keys = factory.keys
        self._begin_counting()

    def _begin_counting(self) -> None:
        last = max(self._first_counter - 1, 0)
        self.counters.resume(self._keys.unicast, self.server_title, last)

    @property
    def keys(self) -> SecurityKeys:
        """The global keys in force."""
        return self._keys

    @property
    def server_title(self) -> bytes:
        """The device's own system title."""
        return self._factory.server_title

    @property
    def signing(self) -> SigningKeys | None:
        """Signature keys for HLS with ECDSA; None when the device has none."""
        return self._factory.signing

    @property
    def client_title(self) -> bytes:
        """System title of the last client that proved itself, or the factory's."""
        return self._titles[-1] if self._titles else self._factory.client_title

    @property
    def as_made(self) -> bool:
        """Whether the keys in force are those of the factory."""
        return self._keys == self._factory.keys

    def replace_keys(self, keys: SecurityKeys) -> None:
        """Take other keys into force for every association from now on."""
        self._keys = keys
        self._begin_counting()

    def secret(self, association: str) -> bytes | None:
        """Return the low-level secret of an association; None for none."""
        return self._secrets.get(association)

    def replace_secret(self, association: str, secret: bytes) -> None:
        """Give an association another low-level secret, from its next AARQ on."""
        self._secrets[association] = secret

    def received_counter(self) -> int:
        """Return the highest invocation counter accepted under the unicast key; 0 for none."""
        expected = [self.counters.expected(self._keys.unicast, title) for title in self._titles]
        return max(0, *[counter - 1 for counter in expected]) if expected else 0

    def remember(self, title: bytes) -> None:
        """Learn the system title of a client whose protected APDU was authentic."""
        self._titles = [*[known for known in self._titles if known != title], title]

    def dump(self) -> dict[str, Json]:
        """Return what was changed since the factory, and the counters, as JSON values."""
        factory = self._factory.secrets
        changed = {name: s.hex() for name, s in self._secrets.items() if factory.get(name) != s}
        return {
            "keys": None if self.as_made else dump_keys(self._keys),
            "secrets": {**changed},
            "titles": [title.hex() for title in self._titles],
            "counters": {name: {**table} for name, table in self.counters.dump().items()},
        }

    def load(self, state: object, path: str = "security") -> None:
        """Take over a ``dump`` of a device with the same factory keys.

        Raises:
            DumpedStateError: A value is missing or wrong.
        """
        dumped = Dumped(state, path, _NAMES)
        self._keys = self._factory.keys
        if dumped.raw("keys") is not None:
            self._keys = load_keys(dumped.raw("keys"), f"{path}.keys")
        changed = dumped.raw("secrets")
        secrets = changed if isinstance(changed, Mapping) else {}
        part = Dumped(changed, f"{path}.secrets", frozenset(secrets))
        self._secrets = {**self._factory.secrets, **{name: part.octets(name) for name in secrets}}
        self._titles = _load_titles(dumped)
        self.counters.load(dumped.raw("counters"), f"{path}.counters")


def _load_titles(dumped: Dumped) -> list[bytes]:
    rows = dumped.raw("titles")
    if not isinstance(rows, list):
        dumped.refuse("titles", "not a list")
    numbered = {str(at): row for at, row in enumerate(rows)}
    part = Dumped(numbered, f"{dumped.path}.titles", frozenset(numbered))
    titles = [part.octets(name, TITLE_BYTES) for name in numbered]
    if any(len(title) != TITLE_BYTES for title in titles):
        dumped.refuse("titles", f"a title has {TITLE_BYTES} octets")
    return titles


def dump_keys(keys: SecurityKeys) -> dict[str, Json]:
    """Return keys as JSON values: for a state file alone, never for a log or report."""
    return {
        "unicast": keys.unicast.hex(),
        "authentication": keys.authentication.hex(),
        "master": keys.master.hex(),
        "broadcast": None if keys.broadcast is None else keys.broadcast.hex(),
    }


def load_keys(state: object, path: str) -> SecurityKeys:
    """Return the keys of ``dump_keys``.

    Raises:
        DumpedStateError: A key is missing or has not 16 octets; the message does not quote it.
    """
    dumped = Dumped(state, path, _KEYS)
    values = {name: dumped.optional_octets(name, KEY_BYTES) for name in sorted(_KEYS)}
    for name, key in values.items():
        if (key is None and name != "broadcast") or (key is not None and len(key) != KEY_BYTES):
            dumped.refuse(name, f"not a key of {KEY_BYTES} octets")
    return SecurityKeys(
        values["unicast"] or b"",
        values["authentication"] or b"",
        values["master"] or b"",
        values["broadcast"],
    )


class ChannelSecurity(SecurityContext):
    """Protection of one ciphered association, under the keys in force when it was asked for.

    Source:
        inferred, see ``DeviceSecurity``.
    """

    def __init__(self, device: DeviceSecurity, title: bytes, keys: SecurityKeys) -> None:
        super().__init__(
            keys,
            device.counters,
            own_title=device.server_title,
            peer_title=title,
            suite=device.suite,
        )

    def can_answer(self) -> bool:
        """Say whether counters are left for the answer to one more request."""
        sent = self._counters.sent(self.keys.unicast, self.own_title)
        return sent <= _LAST_COUNTER - _COUNTERS_A_REQUEST
