"""The adapters of the bench ports that the contract suite runs against.

A new kind of bench adds a row; it must offer the demo home with keys the suite may use.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from device_profiles.schema import DeviceProfile
from emulator.codecs import ota_file
from emulator.codecs.gbcs.dlms import firmware_version_request
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.payload import encode_payload
from emulator.codecs.gbcs.use_cases import MessageCode, Protection
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing, seal
from firmware_images.image import Signing, Target, build
from firmware_images.version import FirmwareVersion
from harness.benches import emulated
from harness.ports import Bench


class Home(Protocol):
    """The remote parties of a bench's home."""

    @property
    def suppliers(self) -> tuple[Eui64, ...]:
        """The responsible suppliers."""
        ...


class KeyedBench(Bench, Protocol):
    """A bench whose keys and device models the suite may use."""

    @property
    def parties(self) -> Home:
        """The remote parties."""
        ...

    @property
    def acb(self) -> Eui64:
        """The Access Control Broker."""
        ...

    @property
    def public_keys(self) -> KeyStore:
        """Everybody's public keys."""
        ...

    profiles: Mapping[Eui64, DeviceProfile]

    def party_keys(self, eui64: Eui64) -> KeyStore:
        """The private keys of one party."""
        ...


@dataclass(frozen=True)
class Adapter:
    """One kind of bench.

    Attributes:
        open: Opens the bench on the demo home.
        new_loop: Makes the loop it belongs in.
    """

    open: Callable[[], KeyedBench]
    new_loop: Callable[[], asyncio.AbstractEventLoop]


ADAPTERS = {"emulated": Adapter(emulated.open_home, emulated.new_event_loop)}


def version_request(bench: KeyedBench, device: Eui64, counter: int) -> bytes:
    """ECS52: ask an ESME for its firmware version, as its supplier, with the ACB's MAC."""
    supplier = bench.parties.suppliers[0]
    header = GroupingHeader(
        Cra.COMMAND, counter, supplier, device, OtherInformation(int(MessageCode.ECS52))
    )
    payload = encode_payload(firmware_version_request(counter))
    ring = KeyRing(bench.public_keys.merged(bench.party_keys(bench.acb)))
    return seal(Envelope(header, payload), ring, protection=Protection.MAC, acb=bench.acb)


def image_for(bench: KeyedBench, device: Eui64, content_bytes: int) -> bytes:
    """A signed image that fits a device of the bench, one version up."""
    profile = bench.profiles[device]
    keys = bench.party_keys(bench.parties.suppliers[0]).entries()
    scalar = next(entry.private_scalar for entry in keys if entry.usage == "DS")
    assert scalar is not None
    number = profile.identity.version_number + 1
    content = Chance(1).stream("image").octets(content_bytes)
    image = build(
        Target.of(profile),
        FirmwareVersion(number.to_bytes(4, "big")),
        content,
        signing=Signing(scalar),
    )
    return ota_file.encode(image)
