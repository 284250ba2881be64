"""What a served device tells the person who started it, on standard error."""

from typing import Final

from device_profiles.dlms import Authentication, DlmsSection
from device_profiles.schema import DeviceProfile
from emulator.core.clock import UtcMs, iso
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys
from harness.cli.output import errors

#: Notes of single frames, shown with ``--verbose`` alone.
CHATTY: Final = frozenset({"line_frame_dropped", "line_link", "ota_progress"})
_STAND_IN: Final = "illustrative, a stand-in: no public document fixes any SMETS1 maker's server"
_PROOFS: Final = {
    Authentication.NONE: "no authentication",
    Authentication.LLS: "password (LLS)",
    Authentication.HLS_GMAC: "HLS with GMAC",
    Authentication.HLS_ECDSA: "HLS with ECDSA",
}


class Teller:
    """Prints notes of the device and its lines."""

    def __init__(self, hidden: frozenset[str] | None) -> None:
        """Take the kinds not to tell; None: tell none at all."""
        self._hidden = hidden
        self._screen = errors()

    def __call__(self, at: UtcMs, note: Note) -> None:
        """Print one note on a line."""
        if self._hidden is None or note.kind in self._hidden:
            return
        fields = " ".join(
            f"{name}={value.hex() if isinstance(value, bytes) else value}"
            for name, value in note.fields
        )
        self._screen.print(f"{iso(at)} {note.kind} {fields}".rstrip(), markup=False)


def introduce(profile: DeviceProfile, section: DlmsSection, eui64: Eui64) -> None:
    """Say who is emulated, and which clients can connect."""
    screen = errors()
    screen.print(f"{profile.device_type} {eui64}  profile {profile.name}", markup=False)
    screen.print(f"  {_STAND_IN}", markup=False)
    address = section.hdlc.physical_address
    where = f"logical device {section.logical_device}"
    lower = "" if address is None else f", physical device {address}"
    screen.print(f"  server: {where}{lower}; clients that can connect:", markup=False)
    for client in section.associations:
        ciphered = ", ciphered" if client.ciphered else ""
        proof = _PROOFS[client.authentication]
        screen.print(f"    {client.client:3} {client.name}: {proof}{ciphered}", markup=False)


def show_keys(keys: FactoryKeys) -> None:
    """Print what a client needs to connect: the secrets of an emulated device."""
    screen = errors()
    for name, secret in keys.secrets.items():
        screen.print(f"  secret {name}: {secret.decode('ascii', 'replace')}", markup=False)
    for name in ("unicast", "authentication", "master"):
        screen.print(f"  key {name}: {getattr(keys.keys, name).hex()}", markup=False)
    screen.print(f"  client title: {keys.client_title.hex()}", markup=False)
    screen.print(f"  server title: {keys.server_title.hex()}", markup=False)
