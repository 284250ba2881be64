"""Which keys the parties of a run use: the user's, those of ``firmware build``, or made ones."""

from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.signature import point_of
from firmware_images.recipe import made_up_scalar
from harness import installed
from harness.keys import open_keystore
from harness.run_options import RunOptions


def keys_of_run(options: RunOptions, home: Installation) -> KeyStore | None:
    """Return the user's key store; else, for an image ``firmware build`` signed, that key.

    Devices must know the key of whoever authorised an image. The made-up key of ``firmware build``
    becomes the key of the target's supplier, so that an image just built runs without more ado.

    Raises:
        UsageError: The key store or the image cannot be read.
    """
    if options.keystore is not None:
        return open_keystore(options.keystore)
    if not options.devices or not installed.has_made_up_signature(options):
        return None
    scalar = made_up_scalar()
    point = point_of(scalar)
    suppliers = {device.supplier for device in home.of(DeviceType(options.devices[0]))}
    return KeyStore(
        KeyEntry(Eui64.parse(one), KeyUsage.DS, public_point=point, private_scalar=scalar)
        for one in sorted(suppliers)
    )
