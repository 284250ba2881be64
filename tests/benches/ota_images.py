"""Firmware images for the emulated bench's own tests."""

from emulator.codecs import ota_file
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from firmware_images.image import Signing, Target, build
from firmware_images.version import FirmwareVersion
from harness.benches.emulated import EmulatedBench


def image_for(bench: EmulatedBench, device: Eui64, content_bytes: int) -> bytes:
    """A signed image that fits a device of the bench, one version up."""
    profile = bench.profiles[device]
    supplier = bench.parties.suppliers[0]
    entries = bench.party_keys(supplier).entries()
    scalar = next(e.private_scalar for e in entries if e.usage == "DS")
    assert scalar is not None
    identity = profile.identity
    target = Target(
        profile.firmware.image_kind,
        identity.manufacturer_code,
        profile.firmware.image_type,
        (identity.hardware_version, identity.hardware_version),
    )
    version = FirmwareVersion(bytes.fromhex(f"{identity.version_number + 1:08x}"))
    content = Chance(1).stream("image").octets(content_bytes)
    return ota_file.encode(build(target, version, content, signing=Signing(scalar)))
