"""What an image file says of itself: figures for people and machines."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.ota_file import ImageError, ImageErrorName, OtaHeader, OtaImage
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from firmware_images.image import SignatureStatus, find_signer, verify

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]

#: The kind of a file nobody has told.
UNDETERMINED: Final = "undetermined"
#: How a file may be read when nobody tells; ``wan-provider`` reads the same octets as ``unsigned``.
_READINGS: Final = (ImageKind.SUPPLIER_SIGNED, ImageKind.UNSIGNED)
#: Errors that mean: the trailer is not where it must be.
_NO_TRAILER: Final = {ImageErrorName.TRUNCATED_TRAILER, ImageErrorName.BAD_SIG_LENGTH}


@dataclass(frozen=True, slots=True)
class Reading:
    """A file read as one kind.

    Attributes:
        kind: The kind it was read as.
        image: The image, or None when it contradicts itself.
        signature: What checking the signature came to.
        signer: Who signed, when a key at hand fits.
        error: What the file contradicts itself in.
    """

    kind: ImageKind
    image: OtaImage | None
    signature: SignatureStatus
    signer: Eui64 | None
    error: ImageError | None

    def figures(self) -> dict[str, Json]:
        """Return the reading as a JSON object."""
        image = self.image
        content = None if image is None else image.manufacturer_image
        return {
            "manufacturer_image_bytes": None if content is None else len(content),
            "manufacturer_image_sha256": None
            if image is None
            else ota_file.manufacturer_image_hash(image).hex(),
            "force_replace": None if image is None else image.force_replace,
            "signature": self.signature.value,
            "signer": None if self.signer is None else str(self.signer),
            "errors": [] if self.error is None else [error_row(self.error)],
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """A file read as the kind that was told, or as every kind it may be.

    Attributes:
        data: The whole file.
        header: Its header, or None when there is none to read.
        readings: One when the kind was told, else one a kind.
    """

    data: bytes
    header: OtaHeader | None
    readings: tuple[Reading, ...]

    @property
    def is_clean(self) -> bool:
        """Whether some reading is free of contradictions, and no signature was found wrong."""
        bad = {SignatureStatus.BAD_SIGNATURE, SignatureStatus.UNKNOWN_SIGNER}
        readable = any(reading.error is None for reading in self.readings)
        return readable and not any(reading.signature in bad for reading in self.readings)

    def figures(self) -> dict[str, Json]:
        """Return everything as one JSON object."""
        top: dict[str, Json] = {
            "kind": self.readings[0].kind.value if len(self.readings) == 1 else UNDETERMINED,
            "size_bytes": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "header": None if self.header is None else header_figures(self.header),
        }
        if len(self.readings) == 1:
            return top | self.readings[0].figures()
        errors = [error_row(r.error) for r in self.readings if r.error is not None]
        common = errors[:1] if len(errors) == len(self.readings) else []
        readings: dict[str, Json] = {r.kind.value: r.figures() for r in self.readings}
        return top | {"errors": list(common), "readings": readings}


def inspect(
    data: bytes,
    kind: ImageKind | None = None,
    keystore: KeyStore | None = None,
    signer: Eui64 | None = None,
) -> Inspection:
    """Read an image file.

    Args:
        data: The whole file.
        kind: Its kind, or None when nobody can tell.
        keystore: Keys to check a signature with.
        signer: Who must have signed, where that is known.
    """
    try:
        header = ota_file.decode_header(data)
    except ImageError:
        header = None
    kinds = _READINGS if kind is None else (kind,)
    return Inspection(data, header, tuple(_read(data, k, keystore, signer) for k in kinds))


def _read(data: bytes, kind: ImageKind, keystore: KeyStore | None, signer: Eui64 | None) -> Reading:
    try:
        image = ota_file.decode(data, kind)
    except ImageError as error:
        missing = error.name in _NO_TRAILER
        status = SignatureStatus.NO_TRAILER if missing else SignatureStatus.NOT_CHECKED
        return Reading(kind, None, status, None, error)
    found = None if keystore is None else find_signer(image, keystore)
    return Reading(kind, image, verify(image, keystore, signer), found, None)


def error_row(error: ImageError) -> dict[str, Json]:
    """Return an error of F-002 as a JSON object: name, reason, octet offset."""
    return {"name": error.name.value, "why": error.why, "offset": error.offset}


def header_figures(header: OtaHeader) -> dict[str, Json]:
    """Return every header field as a JSON object; numbers that people read as hex are text."""
    low, high = header.minimum_hardware, header.maximum_hardware
    shown: Mapping[str, Json] = {
        "magic": f"{ota_file.MAGIC:08X}",
        "header_version": f"{header.header_version:04X}",
        "header_length": header.header_length,
        "field_control": f"{header.field_control:04X}",
        "manufacturer_code": f"{header.manufacturer_code:04X}",
        "image_type": f"{header.image_type:04X}",
        "file_version": f"{header.file_version:08X}",
        "stack_version": f"{header.stack_version:04X}",
        "header_string": _text(header.header_string),
        "total_image_size": header.total_image_size,
        "credential_version": header.credential_version,
        "destination": None if header.destination is None else str(header.destination),
        "minimum_hardware_version": None if low is None else f"{low:04X}",
        "maximum_hardware_version": None if high is None else f"{high:04X}",
    }
    return dict(shown)


def _text(octets: bytes) -> str:
    """Return a header string for reading: zeros at the end dropped, odd octets escaped."""
    return octets.rstrip(b"\0").decode("ascii", "backslashreplace")
