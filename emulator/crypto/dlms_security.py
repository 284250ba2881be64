"""Protection of DLMS APDUs in one association: sealing, and opening with a named refusal."""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import apdu_ciphered as ciphered
from emulator.codecs.dlms import apdu_exception
from emulator.codecs.dlms.apdu_ciphered import (
    BOTH,
    CIPHERED_TAGS,
    SERVICE_TAGS,
    TITLE_BYTES,
    CipheredApdu,
    Form,
    Protection,
    SecurityControl,
)
from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.values import quick
from emulator.crypto import dlms_cipher
from emulator.crypto.dlms_cipher import KEY_BYTES
from emulator.crypto.dlms_keys import InvocationCounters, SecurityKeys

#: Suites whose symmetric part is AES-128-GCM with AES-128 key wrap.
SUITES: Final = (0, 1)
#: Asked for each APDU: as numbers, because flags are slow to reckon with, and by names of this
#: module, because an enum class takes long to find its members.
_BOTH: Final = int(BOTH)
_PLAIN: Final = Form.PLAIN
_DUMPED: Final = frozenset({"required", "dedicated_key", "dedicated_counters"})


class SecurityRefusal(enum.StrEnum):
    """Why a well-formed APDU is not accepted."""

    NOT_PROTECTED = "not_protected"
    DOWNGRADED = "downgraded"
    WRONG_SUITE = "wrong_suite"
    COMPRESSED = "compressed"
    UNKNOWN_TITLE = "unknown_title"
    NO_DEDICATED_KEY = "no_dedicated_key"
    NO_BROADCAST_KEY = "no_broadcast_key"
    NOT_AUTHENTIC = "not_authentic"
    WRONG_SERVICE = "wrong_service"
    COUNTER_NOT_RISING = "counter_not_rising"


@quick
@dataclass(frozen=True, slots=True)
class Opened:
    """An accepted APDU.

    Attributes:
        plain: The plain APDU.
        form: How it came; answer in the same form.
        protection: How it was protected; answer with at least as much.
    """

    plain: bytes
    form: Form
    protection: Protection


@quick
@dataclass(frozen=True, slots=True)
class Refused:
    """A refused APDU; nothing of the association has changed.

    Attributes:
        reason: Why.
        detail: The same with the values, for people.
        expected_counter: With COUNTER_NOT_RISING the least counter that would do; else None.
    """

    reason: SecurityRefusal
    detail: str
    expected_counter: int | None = None


class SecurityContext:
    """One side of one association; a client has ``takes_plain_exceptions``, a server has not.

    The counters outlive the association and are passed in; those of a dedicated key live and end
    with it. ``required`` only ever grows: what an association has once asked for it keeps asking.

    Attributes:
        keys: Global keys; may be replaced while the association lasts.
        own_title: Our system title, eight octets.
        peer_title: The other side's.
        suite: Security suite, 0 or 1.
        required: Least protection of what is sent and accepted.
    """

    def __init__(  # noqa: PLR0913 - one value each that class 64 and the AARQ name
        self,
        keys: SecurityKeys,
        counters: InvocationCounters,
        *,
        own_title: bytes,
        peer_title: bytes,
        suite: int = 0,
        required: Protection = BOTH,
        dedicated_key: bytes | None = None,
        takes_plain_exceptions: bool = False,
    ) -> None:
        if suite not in SUITES:
            raise ValueError(f"security suite {suite} is neither 0 nor 1")
        if len(own_title) != TITLE_BYTES or len(peer_title) != TITLE_BYTES:
            raise ValueError("a system title has eight octets")
        if dedicated_key is not None and len(dedicated_key) != KEY_BYTES:
            raise ValueError(f"a dedicated key has {KEY_BYTES} octets")
        self.keys = keys
        self.own_title = own_title
        self.peer_title = peer_title
        self.suite = suite
        self.required = required
        self._counters = counters
        self._takes_plain_exceptions = takes_plain_exceptions
        self._dedicated_key = dedicated_key
        self._dedicated_counters = InvocationCounters()

    def require(self, protection: Protection) -> None:
        """Ask for ``protection`` too from now on; nothing is ever asked for less."""
        self.required |= protection

    def dedicate(self, key: bytes) -> None:
        """Take the dedicated key of an initiate request into use.

        Raises:
            ValueError: It has not 16 octets.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"a dedicated key has {KEY_BYTES} octets")
        self._dedicated_key = key
        self._dedicated_counters = InvocationCounters()

    def dump(self) -> State:
        """Return what the association has agreed, as JSON-able data.

        The dedicated key is in it: a dump is as secret as the keys. Global keys and their
        counters are not; their owner keeps them.
        """
        key = self._dedicated_key
        counters = self._dedicated_counters.dump()
        return {
            "required": int(self.required),
            "dedicated_key": None if key is None else key.hex(),
            "dedicated_counters": {name: dict(table) for name, table in counters.items()},
        }

    def load(self, state: Json, path: str = "security") -> None:
        """Take over a ``dump`` of an association with the same titles, suite and keys.

        Raises:
            DumpedStateError: A value is missing or mistyped, or a dedicated key has not 16
                octets; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        required = Protection(dumped.number("required", 0, BOTH) & BOTH)
        if int(required) != dumped.number("required"):
            dumped.refuse("required", "no protection")
        key = dumped.optional_octets("dedicated_key", KEY_BYTES)
        if key is not None and len(key) != KEY_BYTES:
            dumped.refuse("dedicated_key", f"a dedicated key has {KEY_BYTES} octets")
        counters = InvocationCounters()
        counters.load(dumped.raw("dedicated_counters"), f"{path}.dedicated_counters")
        self.required, self._dedicated_key, self._dedicated_counters = required, key, counters

    def open(self, data: bytes) -> Opened | Refused:
        """Check and unwrap one received APDU, ACSE APDUs excepted.

        A plain exception response passes to a client, because it has no service-specific
        ciphered form; whoever takes it learns of a failure, nothing else, and must not act on it.

        Raises:
            MalformedFrameError: Layer ``dlms.ciphered``: it is empty, or a ciphered APDU whose
                frame is malformed; ``dlms.exception_response``: a malformed one for a client.

        Source:
            IEC 62056-5-3, with the strictly rising counter of reference serial-dlms.md 3.2.
        """
        if not data:
            raise MalformedFrameError("dlms.ciphered", data, "there is no APDU", 0)
        if data[0] not in CIPHERED_TAGS:
            if not self.required or self._is_exception(data):
                return Opened(data, Form.PLAIN, Protection.NONE)
            detail = f"APDU {data[0]:02x} is plain, {self.required!r} is required"
            return Refused(SecurityRefusal.NOT_PROTECTED, detail)
        apdu = ciphered.decode(data)
        return self._refusal_of_frame(apdu) or self._unwrapped(apdu)

    def _is_exception(self, data: bytes) -> bool:
        if data[0] != apdu_exception.TAG or not self._takes_plain_exceptions:
            return False
        apdu_exception.decode(data)  # a damaged ciphered APDU can begin as one does
        return True

    def _refusal_of_frame(self, apdu: CipheredApdu) -> Refused | None:
        control = apdu.control
        if control.suite != self.suite:
            detail = f"suite {control.suite}, not {self.suite}"
            return Refused(SecurityRefusal.WRONG_SUITE, detail)
        if control.compressed:
            return Refused(SecurityRefusal.COMPRESSED, "compression is not agreed")
        if not control.protected:
            return Refused(SecurityRefusal.NOT_PROTECTED, "security control says no protection")
        if self.required._value_ & ~control.protected:
            detail = f"{control.protection!r}, {self.required!r} is required"
            return Refused(SecurityRefusal.DOWNGRADED, detail)
        if apdu.title is not None and apdu.title != self.peer_title:
            detail = f"title {apdu.title.hex()}, not {self.peer_title.hex()}"
            return Refused(SecurityRefusal.UNKNOWN_TITLE, detail)
        return None

    def _unwrapped(self, apdu: CipheredApdu) -> Opened | Refused:
        found = self._key(apdu.form, broadcast=apdu.control.broadcast)
        if isinstance(found, Refused):
            return found
        key, counters = found
        plain = dlms_cipher.unprotect(key, self.keys.authentication, self.peer_title, apdu)
        if not plain:
            return Refused(SecurityRefusal.NOT_AUTHENTIC, "the authentication tag is wrong")
        if apdu.service is not None and plain[0] != apdu.service:
            detail = f"APDU {plain[0]:02x} in the frame of {apdu.service:02x}"
            return Refused(SecurityRefusal.WRONG_SERVICE, detail)
        if not counters.accept(key, self.peer_title, apdu.counter):
            expected = counters.expected(key, self.peer_title)
            detail = f"invocation counter {apdu.counter}, at least {expected} is due"
            return Refused(SecurityRefusal.COUNTER_NOT_RISING, detail, expected)
        return Opened(plain, apdu.form, apdu.control.protection)

    def _key(self, form: Form, *, broadcast: bool) -> tuple[bytes, InvocationCounters] | Refused:
        if form.dedicated:
            if self._dedicated_key is None or broadcast:
                detail = "the association has no such dedicated key"
                return Refused(SecurityRefusal.NO_DEDICATED_KEY, detail)
            return self._dedicated_key, self._dedicated_counters
        if not broadcast:
            return self.keys.unicast, self._counters
        if self.keys.broadcast is None:
            return Refused(SecurityRefusal.NO_BROADCAST_KEY, "no broadcast key is held")
        return self.keys.broadcast, self._counters

    def seal(self, plain: bytes, form: Form, protection: Protection | None = None) -> bytes:
        """Wrap one APDU to send, in the form and with the protection of what it answers.

        An exception response in answer to a service-specific form goes plain, as the standard
        has no such form of it.

        Args:
            plain: The plain APDU.
            form: Its frame.
            protection: At least ``required``; None is exactly that, or both if nothing is.

        Raises:
            IllegalEventError: Less protection than required, or a key that is not there.
            CounterExhaustedError: The key's counter is at its end.
            ValueError: The APDU is empty or has no such form.
        """
        if not plain:
            raise ValueError("there is no APDU to seal")
        if plain[0] == apdu_exception.TAG and not form.general:
            return plain
        required = self.required._value_
        chosen = (required or _BOTH) if protection is None else protection._value_
        wanting = 0 if form is _PLAIN else chosen
        if required & ~wanting:
            told = f"{form} with {Protection(wanting)!r}"
            raise IllegalEventError(f"{told}: {self.required!r} is required")
        if form is _PLAIN:
            return plain
        return self._sealed(plain, form, SecurityControl.of(self.suite | chosen))

    def _sealed(self, plain: bytes, form: Form, control: SecurityControl) -> bytes:
        if not form.general and plain[0] not in SERVICE_TAGS:
            raise ValueError(f"APDU {plain[0]:02x} has no service-specific ciphered form")
        found = self._key(form, broadcast=False)
        if isinstance(found, Refused):
            raise IllegalEventError(found.detail)
        key, counters = found
        counter = counters.draw(key, self.own_title)
        iv = dlms_cipher.nonce(self.own_title, counter)
        content = dlms_cipher.protect(key, self.keys.authentication, iv, control, plain)
        if form.general:
            apdu = CipheredApdu(form, None, self.own_title, control, counter, content)
        else:
            apdu = CipheredApdu(form, plain[0], None, control, counter, content)
        return ciphered.encode(apdu)
