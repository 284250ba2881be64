"""Firmware images out of files: bare ones, and those inside DUIS requests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from device_profiles.words import ImageKind
from emulator.codecs.ota_file import OtaHeader
from emulator.core.ids import Eui64
from firmware_images.version import FirmwareVersion, VersionError
from harness import files
from harness.errors import UsageError
from harness.formats.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from harness.formats.duis.faults import naming
from harness.formats.duis.requests import ServiceRequest, read_request

#: More than a DUIS request with a full image and device list.
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
_XML_STARTS: Final = (b"<", b"\xef\xbb\xbf<")


@dataclass(frozen=True, slots=True)
class FirmwareFile:
    """An image, and what the file around it says.

    Attributes:
        path: The file.
        image: The octets of the image.
        kind: The kind that a request settles; None for a bare image.
        request: The DUIS request around it, or None.
    """

    path: Path
    image: bytes
    kind: ImageKind | None
    request: ServiceRequest | None

    @property
    def signer(self) -> Eui64 | None:
        """Who must have signed: the originator of the request."""
        return None if self.request is None else self.request.request_id.originator

    def request_figures(self, header: OtaHeader | None) -> dict[str, object]:
        """Return what the request says as a JSON object; empty for a bare image.

        Args:
            header: The image's header, to say whether the request names the same version.
        """
        if self.request is None or not isinstance(self.request.body, UpdateFirmware):
            return {}
        body = self.request.body
        return {
            "service": self.request.header.service,
            "request_id": str(self.request.request_id),
            "firmware_version": body.firmware_version,
            "version_agrees": header is not None and _agrees(body.firmware_version, header),
            "devices": len(body.devices),
            "origin": self.request.origin.value,
        }


def _agrees(declared: str, header: OtaHeader) -> bool:
    try:
        return FirmwareVersion.from_duis(declared).number == header.file_version
    except VersionError:
        return False


def read_octets(path: Path) -> bytes:
    """Return the content of a file the user named.

    Raises:
        UsageError: It cannot be read, is empty, or is larger than any request can be.
    """
    content = files.read_octets(path, MAX_FILE_BYTES)
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(
            f"more than {MAX_FILE_BYTES:,} octets: more than any firmware file has",
            where=str(path),
            cause="another kind of file; a DUIS request carries at most 10,240,000 octets of image",
            next_command=f"ls -l {path}",
        )
    if not content:
        raise UsageError(
            "the file is empty",
            where=str(path),
            cause="an interrupted copy",
            next_command=f"ls -l {path}",
        )
    return content


def read_firmware(path: Path) -> FirmwareFile:
    """Read an image file, or take the image out of a DUIS 11.1 or 11.4 request.

    Raises:
        UsageError: The file cannot be read.
        DuisError: It is XML, but no request of the two; named, with the line.
    """
    content = read_octets(path)
    if not content.lstrip(b" \t\r\n").startswith(_XML_STARTS):
        return FirmwareFile(path, content, None, None)
    with naming(str(path)):
        request = read_request(content)
    body = request.body
    if isinstance(body, UpdatePpmidFirmware):
        return FirmwareFile(path, body.firmware_image, ImageKind.UNSIGNED, request)
    if isinstance(body, UpdateFirmware):
        return FirmwareFile(path, body.firmware_image, ImageKind.SUPPLIER_SIGNED, request)
    raise UsageError(
        f"service request {request.header.service} carries no firmware image",
        where=str(path),
        cause="only 11.1 and 11.4 carry one",
        next_command=f"smetsbench duis check {path}",
    )


def read_private_scalar(path: Path) -> int:
    """Return the private scalar of an unencrypted P-256 key in PEM.

    Raises:
        UsageError: The file holds no such key.
    """
    content = read_octets(path)
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        # The reason is not repeated: it may quote the file, and the file holds a private key.
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise UsageError(
            "no unencrypted P-256 private key in PEM",
            where=str(path),
            cause="a certificate, an encrypted key, or a key of another curve",
            next_command="openssl pkcs8 -topk8 -nocrypt -in KEY -out KEY.pem",
        )
    return key.private_numbers().private_value
