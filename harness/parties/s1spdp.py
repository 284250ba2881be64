"""The S1SPDP: keeps authentication keys apart from the S1SP that uses them.

Source:
    S000 §3.1 (15.3) names its structure; that it is a module with a key of its own inside the
    S1SP's trust zone, and what it keeps, are stand-ins.
"""

from typing import Any, Final

from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from harness.formats.migration_files.group_information import DeviceSecrets, S1spdpInformation
from harness.parties.key_ring import KeyRing

NAME: Final = "S1SPDP"
#: Name under which the key travels that proves messages.
AUTHENTICATION: Final = "authentication"
_KEY_BYTES: Final = 16


class S1spdp:
    """Holds authentication keys: those it made, and those the files conveyed.

    Args:
        chance: Source of the keys it makes.

    Attributes:
        conveyed: What its layer of the MEF held.
    """

    name: Final = NAME

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._own = KeyRing()
        self.conveyed = KeyRing()

    def take(self, information: S1spdpInformation) -> None:
        """Keep what its layer of a MEF holds."""
        for secrets in information.devices:
            self.conveyed.take(secrets)

    def take_secrets(self, secrets: DeviceSecrets) -> None:
        """Keep what an SMSO sent it of one device."""
        self.conveyed.take(secrets)

    def authentication(self, device: Eui64) -> bytes:
        """Return its own authentication key of a device, made when first asked for."""
        held = self._own.find(device, AUTHENTICATION)
        if held is None:
            held = self._chance.stream(f"s1spdp/keys/{device.hex}").octets(_KEY_BYTES)
            self._own.put(device, AUTHENTICATION, held)
        return held

    def dump(self) -> dict[str, Any]:
        """Return its memory as JSON values; keys are in it."""
        return {"own": self._own.dump(), "conveyed": self.conveyed.dump()}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self._own.load(state["own"])
        self.conveyed.load(state["conveyed"])
