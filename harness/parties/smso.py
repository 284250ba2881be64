"""The SMETS1 SMSO: operates installations before migration, hands them over, takes them back."""

from collections.abc import Sequence
from typing import Any, Final

from device_profiles.cohort import CohortEnvelope
from emulator.codecs.dlms.axdr import Data
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from emulator.crypto.dlms_key_transfer import NewKey, transfer_parameters
from emulator.crypto.dlms_keys import KeyId, SecurityKeys
from harness.formats.migration_files.group_information import DeviceSecrets, Secret
from harness.formats.migration_files.handover import (
    AUTHENTICATION,
    MASTER,
    SECRET_PREFIX,
    UNICAST,
    Handover,
    factory_secrets,
    hand_over,
)
from harness.parties.key_ring import KeyRing
from harness.parties.post import Post
from harness.parties.sealed import open_secrets, seal_secrets

NAME: Final = "SMSO"
#: Kind of orders between parties, in a trace.
ORDER: Final = "order"
#: What its head end does for an installation day by day. Source: invented.
SCHEDULES: Final = ("daily readings", "monthly billing", "event log")


class Smso:
    """Holds every key of its devices; opens sealed key orders of the S1SP.

    Args:
        scalar: Its private key-agreement key.
        chance: Source of the envelopes it makes.
        seed: Seed of the run: devices that are on no bench of it have the keys of the factory.
        envelope: The cohort's row of Table 11.2.1.
        post: Where its messages are written down.

    Attributes:
        keys: Keys of enrolled devices.
        orders: Keys of the S1SP that it is to put on devices; forgotten when that is done.
        schedules: Ref -> what its head end does there by itself.
        updates: Device -> version that it was ordered to bring it to (4.26), not done yet.
        dropped: Refs of installations whose records it has dropped (C7).
    """

    name: Final = NAME

    def __init__(
        self, scalar: int, chance: Chance, seed: int, envelope: CohortEnvelope, post: Post
    ) -> None:
        self._scalar = scalar
        self._chance = chance
        self._envelope = envelope
        self._factory = factory_secrets(seed, envelope)
        self._post = post
        self.keys = KeyRing()
        self.orders = KeyRing()
        self.schedules: dict[str, tuple[str, ...]] = {}
        self.dropped: list[str] = []
        self.updates: dict[Eui64, str] = {}

    # -- inventory -----------------------------------------------------------------------------

    def enrol(self, ref: str, devices: Sequence[tuple[Eui64, SecurityKeys]]) -> None:
        """Take an installation's devices and their keys into the inventory.

        Args:
            ref: The installation.
            devices: Its devices that hold head-end credentials, with their keys.
        """
        self.schedules.setdefault(ref, SCHEDULES)
        for device, keys in devices:
            self.keys.put(device, UNICAST, keys.unicast)
            self.keys.put(device, AUTHENTICATION, keys.authentication)
            self.keys.put(device, MASTER, keys.master)

    def secrets_of(self, device: Eui64) -> Handover:
        """Return the secrets of a device as the Requesting Party writes them into a MEF."""
        held = self._held(device)
        factory = self._factory(device)
        if held is None:
            return factory
        rows = [*factory.s1sp.secrets, *factory.s1spdp.secrets]
        secrets = {
            one.name.removeprefix(SECRET_PREFIX): one.octets
            for one in rows
            if one.name.startswith(SECRET_PREFIX)
        }
        return hand_over(device, held, secrets, self._envelope)

    def quiesce(self, ref: str) -> tuple[str, ...]:
        """End what the head end does by itself at an installation (H1); returns what that was."""
        ended = self.schedules.get(ref, ())
        self.schedules[ref] = ()
        return ended

    def resume(self, ref: str) -> None:
        """Take up again what was ended: the installation is its own once more."""
        self.schedules[ref] = SCHEDULES

    def take_update(self, device: Eui64, version: str) -> None:
        """Take the order to bring a device to another firmware version before it migrates."""
        self.updates[device] = version

    def drop(self, ref: str, devices: Sequence[Eui64]) -> None:
        """Drop the records of a migrated installation (C7), keys included."""
        self.schedules.pop(ref, None)
        self.dropped.append(ref)
        for device in devices:
            self.keys.forget(device)
            self.orders.forget(device)
        kept = sum(self.own(device) is not None for device in devices)
        said = f"records of {ref} dropped: keys of {len(devices) - kept} of {len(devices)} devices"
        self._post.hand_over(NAME, "MCC", "notice", b"", said)

    # -- keys ----------------------------------------------------------------------------------

    def accept(self, letter: bytes, group_id: str, device: Eui64) -> None:
        """Take the S1SP's sealed order to put its keys on a device.

        Raises:
            SealBrokenError: It is for another party or device, or was changed.
        """
        self.orders.take(open_secrets(letter, self._scalar, group_id, device))

    def ordered(self, device: Eui64) -> tuple[NewKey, NewKey] | None:
        """Return the keys it is to put on a device, or None where none were ordered."""
        return _pair(self.orders, device)

    def own(self, device: Eui64) -> tuple[NewKey, NewKey] | None:
        """Return its own keys of a device as a key transfer names them; None: it has none."""
        return _pair(self.keys, device)

    def wrap(self, device: Eui64, keys: Sequence[NewKey]) -> Data | None:
        """Return a key transfer's parameters, keys wrapped; None: it lacks the master key."""
        master = self.keys.find(device, MASTER)
        return None if master is None else transfer_parameters(master, keys)

    def send_keys_back(
        self,
        device: Eui64,
        group_id: str,
        points: Sequence[tuple[str, bytes]],
    ) -> dict[str, bytes]:
        """Seal the keys it wants to have restored on a device, each part for whom it is.

        Used where no MEF was opened: a device that changed hands before its files were read.

        Args:
            device: The device.
            group_id: GroupID of the installation.
            points: ``S1SP``, ``S1SPDP`` and ``DCO`` with their key-agreement keys.

        Returns:
            Party -> sealed letter; parties that get nothing are left out.
        """
        shared = self.secrets_of(device)
        parts = {"S1SP": shared.s1sp, "S1SPDP": shared.s1spdp, "DCO": shared.dco}
        draw = self._chance.stream("smso/envelopes").octets
        letters: dict[str, bytes] = {}
        for party, point in points:
            if not parts[party].secrets:
                continue
            letters[party] = seal_secrets(parts[party], point, group_id, draw)
            said = f"keys to restore on {device}, sealed"
            self._post.hand_over(NAME, party, ORDER, letters[party], said)
        return letters

    def _held(self, device: Eui64) -> SecurityKeys | None:
        found = [self.keys.find(device, name) for name in (UNICAST, AUTHENTICATION, MASTER)]
        unicast, authentication, master = found
        if unicast is None or authentication is None or master is None:
            return None
        return SecurityKeys(unicast, authentication, master)

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return its memory as JSON values; keys are in it."""
        return {
            "keys": self.keys.dump(),
            "orders": self.orders.dump(),
            "schedules": {ref: list(names) for ref, names in self.schedules.items()},
            "dropped": list(self.dropped),
            "updates": {device.hex: version for device, version in self.updates.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.keys.load(state["keys"])
        self.orders.load(state["orders"])
        self.schedules = {ref: tuple(names) for ref, names in state["schedules"].items()}
        self.dropped = list(state["dropped"])
        self.updates = {Eui64.parse(one): version for one, version in state["updates"].items()}


def secrets(device: Eui64, keys: Sequence[NewKey]) -> DeviceSecrets:
    """Return keys of a key transfer as the secrets of a sealed order."""
    return DeviceSecrets(device, tuple(Secret(_NAMES[one.key_id], one.key) for one in keys))


_NAMES: Final = {KeyId.UNICAST: UNICAST, KeyId.AUTHENTICATION: AUTHENTICATION}


def _pair(ring: KeyRing, device: Eui64) -> tuple[NewKey, NewKey] | None:
    unicast, authentication = ring.find(device, UNICAST), ring.find(device, AUTHENTICATION)
    if unicast is None or authentication is None:
        return None
    return NewKey(KeyId.UNICAST, unicast), NewKey(KeyId.AUTHENTICATION, authentication)
