"""The keys of devices that one party holds: put in, found, forgotten, never shown."""

from typing import Any

from emulator.core.ids import Eui64
from harness.formats.migration_files.group_information import DeviceSecrets


class KeyRing:
    """Keys by device and name; nothing of it shows in ``repr``."""

    def __init__(self) -> None:
        self._held: dict[Eui64, dict[str, bytes]] = {}

    def put(self, device: Eui64, name: str, octets: bytes) -> None:
        """Keep a key; one of the same name is replaced."""
        self._held.setdefault(device, {})[name] = octets

    def take(self, secrets: DeviceSecrets) -> None:
        """Keep all that a file conveyed of one device."""
        for secret in secrets.secrets:
            self.put(secrets.device, secret.name, secret.octets)

    def find(self, device: Eui64, name: str) -> bytes | None:
        """Return a key, or None where it is not held."""
        return self._held.get(device, {}).get(name)

    def holds(self, device: Eui64) -> bool:
        """Say whether anything of a device is held."""
        return device in self._held

    def forget(self, device: Eui64) -> None:
        """Drop all keys of a device; nothing happens where there are none."""
        self._held.pop(device, None)

    def dump(self) -> dict[str, dict[str, str]]:
        """Return the keys as JSON values: they are in it."""
        return {
            device.hex: {name: octets.hex() for name, octets in keys.items()}
            for device, keys in self._held.items()
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over dumped keys."""
        self._held = {
            Eui64.parse(device): {name: bytes.fromhex(octets) for name, octets in keys.items()}
            for device, keys in state.items()
        }
