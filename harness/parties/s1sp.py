"""The SMETS1 Service Provider: its own keys of every device, its gate, and its head end."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

from device_profiles.dmves import Equivalent
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from emulator.crypto.dlms_key_transfer import NewKey
from emulator.crypto.dlms_keys import KeyId, SecurityKeys
from harness.formats.migration_files.group_information import DeviceSecrets
from harness.formats.migration_files.opening import Opened
from harness.meter import Credentials
from harness.parties.dco import Dco
from harness.parties.instruction import Countersignature, Instruction
from harness.parties.key_ring import KeyRing
from harness.parties.post import Post
from harness.parties.s1sp_gate import Gate, GateRefusal
from harness.parties.s1spdp import AUTHENTICATION, S1spdp
from harness.ports import Clock, MeterPort
from harness.smets1.arguments import Arguments
from harness.smets1.sessions import NOTHING_KEPT, Sessions
from harness.smets1.steps import Account, HeadEnd

NAME: Final = "S1SP"
#: Kind of what a head end and a device exchange, in a trace.
DLMS: Final = "dlms"
UNICAST: Final = "unicast"
_KEY_BYTES: Final = 16
#: Stands where a master key would: the S1SP holds none, the DCO does.
_NO_MASTER: Final = bytes(_KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Errand:
    """One request at one device, ready to be carried out.

    Attributes:
        device: The device.
        port: The way to it.
        clock: Time of the bench.
        equivalent: What is to be done.
        credentials: How the S1SP presents itself.
        given: What the request carries.
        alone: In an association of its own, which is its proof or changes the keys.
        together: What is only read, in one request.
    """

    device: Eui64
    port: MeterPort = field(repr=False)
    clock: Clock = field(repr=False)
    equivalent: Equivalent
    credentials: Credentials
    given: Arguments = field(default_factory=Arguments)
    alone: bool = False
    together: bool = False

    def instruction(self) -> Instruction:
        """Return it as the DCO sees it."""
        return Instruction.of(self.device, self.equivalent, self.given)


class S1sp:
    """Opens devices with keys of its own; critical instructions pass its gate first.

    Args:
        party: Its EUI-64.
        chance: Source of its keys.
        gate: Its gate.
        s1spdp: Keeps its authentication keys.
        dco: Countersigns its critical instructions.
        post: Where its messages are written down.

    Attributes:
        conveyed: What its layer of the MEF held: how the SMSO's head end opened each device.
        sessions: What its head end has open in the phase it is in; empty between phases.
    """

    name: Final = NAME

    def __init__(  # noqa: PLR0913, PLR0917 -- itself, its chance, and the four it works with
        self, party: Eui64, chance: Chance, gate: Gate, s1spdp: S1spdp, dco: Dco, post: Post
    ) -> None:
        self.party = party
        self.gate = gate
        self._chance = chance
        self._s1spdp = s1spdp
        self._dco = dco
        self._post = post
        self._own = KeyRing()
        self.conveyed = KeyRing()
        self.sessions = Sessions()

    # -- keys ----------------------------------------------------------------------------------

    def take(self, opened: Opened) -> None:
        """Keep what the layers of one installation held, each part with whom it is for."""
        if opened.s1sp is not None:
            for secrets in opened.s1sp.devices:
                self.conveyed.take(secrets)
        if opened.s1spdp is not None:
            self._s1spdp.take(opened.s1spdp)
        if opened.dco is not None:
            self._dco.take(opened.dco)

    def take_secrets(self, secrets: DeviceSecrets) -> None:
        """Keep what an SMSO sent it of one device."""
        self.conveyed.take(secrets)

    def new_keys(self, device: Eui64) -> tuple[NewKey, NewKey]:
        """Return its own keys of a device as a key transfer names them."""
        return (
            NewKey(KeyId.UNICAST, self._unicast(device)),
            NewKey(KeyId.AUTHENTICATION, self._s1spdp.authentication(device)),
        )

    def credentials(self, like: Credentials, device: Eui64) -> Credentials:
        """Return how it presents itself to a device that it owns.

        Args:
            like: How any head end presents itself to that device: client, mechanism, suite.
            device: The device.
        """
        keys = SecurityKeys(self._unicast(device), self._s1spdp.authentication(device), _NO_MASTER)
        return replace(like, name=NAME, keys=keys, title=self.party.octets)

    def conveyed_credentials(self, like: Credentials, device: Eui64) -> Credentials | None:
        """Return how it opens a device with the keys the files conveyed; None: it lacks one."""
        unicast = self._conveyed(device, UNICAST)
        authentication = self._conveyed(device, AUTHENTICATION)
        if unicast is None or authentication is None:
            return None
        keys = SecurityKeys(unicast, authentication, _NO_MASTER)
        return replace(like, name=NAME, keys=keys, title=self.party.octets)

    def conveyed_keys(self, device: Eui64) -> tuple[NewKey, NewKey] | None:
        """Return the SMSO's keys as a key transfer names them; None: one was never conveyed."""
        unicast = self._conveyed(device, UNICAST)
        authentication = self._conveyed(device, AUTHENTICATION)
        if unicast is None or authentication is None:
            return None
        return NewKey(KeyId.UNICAST, unicast), NewKey(KeyId.AUTHENTICATION, authentication)

    def _unicast(self, device: Eui64) -> bytes:
        held = self._own.find(device, UNICAST)
        if held is None:
            held = self._chance.stream(f"s1sp/keys/{device.hex}").octets(_KEY_BYTES)
            self._own.put(device, UNICAST, held)
        return held

    def _conveyed(self, device: Eui64, name: str) -> bytes | None:
        return self.conveyed.find(device, name) or self._s1spdp.conveyed.find(device, name)

    # -- work ----------------------------------------------------------------------------------

    async def carry_out(self, errand: Errand) -> Account | GateRefusal:
        """Carry out a request, with the DCO's part where it is critical."""
        instruction = errand.instruction()
        part = None
        if instruction.service in self.gate.critical:
            part = self._dco.countersign(instruction, NAME)
        return await self._carried_out(errand, instruction, part)

    async def carry_out_with(
        self, errand: Errand, part: Countersignature | None
    ) -> Account | GateRefusal:
        """Carry out a request with a countersignature at hand; the gate comes before the device.

        Args:
            errand: The request.
            part: The DCO's part; None: there is none.
        """
        return await self._carried_out(errand, errand.instruction(), part)

    async def _carried_out(
        self, errand: Errand, instruction: Instruction, part: Countersignature | None
    ) -> Account | GateRefusal:
        refusal = self.gate.refusal(instruction, part)
        if refusal is not None:
            return refusal
        kept = NOTHING_KEPT if errand.alone else self.sessions.of(errand.device)
        if errand.alone:
            self.sessions.forget(errand.device)
        head_end = HeadEnd(
            errand.port, errand.clock, lambda _client: errand.credentials, kept, errand.together
        )
        account = await head_end.carry_out(errand.equivalent, errand.given)
        said = f"{errand.equivalent.service}: {account.done}"
        self._post.hand_over(NAME, str(errand.device), DLMS, instruction.octets(), said)
        return account

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return its memory as JSON values; keys are in it."""
        return {
            "own": self._own.dump(),
            "conveyed": self.conveyed.dump(),
            "gate": self.gate.dump(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self._own.load(state["own"])
        self.conveyed.load(state["conveyed"])
        self.gate.load(state["gate"])
