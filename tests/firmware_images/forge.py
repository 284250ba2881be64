"""Sound images for tests, and the keys they are signed with."""

from device_profiles.loader import load_profile
from emulator.codecs.ota_file import OtaImage
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.signature import point_of
from firmware_images.defects import Draft
from firmware_images.recipe import build, load_recipe, signing_scalar

SUPPLIER = Eui64.parse("02-53-42-00-00-01-00-00")
OTHER = Eui64.parse("02-53-42-00-00-03-00-00")
SCALAR = signing_scalar("test supplier")
OTHER_SCALAR = signing_scalar("test other supplier")
STORE_BYTES = 20_000


def key(owner: Eui64, scalar: int, usage: KeyUsage = KeyUsage.DS) -> KeyEntry:
    return KeyEntry(owner, usage, public_point=point_of(scalar))


BOTH = KeyStore([key(SUPPLIER, SCALAR), key(OTHER, OTHER_SCALAR)])
SUPPLIER_ONLY = KeyStore([key(SUPPLIER, SCALAR)])
OTHER_ONLY = KeyStore([key(OTHER, OTHER_SCALAR)])


def image(recipe: str = "demo-esme-2", scalar: int | None = SCALAR) -> OtaImage:
    loaded = load_recipe(recipe)
    return build(loaded, load_profile(loaded.image.profile), scalar)


def draft(recipe: str = "demo-esme-2") -> Draft:
    made = image(recipe)
    signed = made.signature is not None
    return Draft(made, SCALAR if signed else None, OTHER_SCALAR, STORE_BYTES)
