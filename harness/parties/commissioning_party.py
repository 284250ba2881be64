"""The Commissioning Party: pre-notifies migrated devices and has them commissioned by requests."""

from collections.abc import Sequence
from typing import Any, Final

from device_profiles.cpl import Cpl
from device_profiles.words import DeviceType, SmetsVersion
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import bodies, smets1_bodies, smets1_response
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest, request, write_request
from harness.formats.duis.responses import Smets1ResponseMessage, read_response
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.smets1_response import Smets1Response
from harness.formats.migration_files.commissioning_file import CommissioningDevice
from harness.parties.post import DUIS, Post
from harness.rules.roles import UserRole

NAME: Final = "CP"
#: Name of the DSP in a trace.
_DSP: Final = "DSP"
#: What 8.11 must carry of a device that joined long ago. Source: stand-in.
_NO_INSTALL_CODE: Final = bytes(16)
_JOIN_S: Final = 3600
#: By how much a commissioned meter's clock may be off, in seconds. Source: invented.
_TOLERANCE_S: Final = 10


class CommissioningParty:
    """Asks the DSP like a service user, in a role of its own.

    Args:
        eui64: Its identifier.
        dcc: The DCC's identifier.
        s1sp: The S1SP whose signatures it asks for.
        key: Its XML-signing key.
        signatories: XML-signing certificates of the parties.
        post: Where its messages are written down.

    Attributes:
        answers: What S1SPs answered, by request.
        counter: Counter of its last request.
    """

    name: Final = NAME
    roles: Final = frozenset({UserRole.COMMISSIONING_PARTY})

    def __init__(  # noqa: PLR0913, PLR0917 - three identifiers, a key, certificates and the post
        self,
        eui64: Eui64,
        dcc: Eui64,
        s1sp: Eui64,
        key: XmlKey,
        signatories: Signatories,
        post: Post,
    ) -> None:
        self.eui64 = eui64
        self.answers: dict[RequestId, Smets1Response] = {}
        self.counter = 0
        self._dcc = dcc
        self._s1sp = s1sp
        self._key = key
        self._signatories = signatories
        self._post = post

    # -- asking ------------------------------------------------------------------------------

    def ask(self, body: RequestBody, device: Eui64 | None = None) -> tuple[ServiceRequest, bytes]:
        """Return a signed request with the next counter; it is on its way to the DSP.

        Args:
            body: What to ask for.
            device: The device it is for; None for requests to the DCC itself.
        """
        self.counter += 1
        asked = request(body, RequestId(self.eui64, device or self._dcc, self.counter))
        octets = write_request(asked, self._key)
        summary = f"{asked.header.variant} {type(body).__name__}"
        self._post.hand_over(NAME, _DSP, DUIS, octets, summary)
        return asked, octets

    def prenotification(
        self, device: CommissioningDevice, cpl: Cpl, gpf: Eui64 | None = None
    ) -> bodies.DevicePrenotification:
        """Return the 12.2 of a device: for a PPMID with the version of its SMETS1 entry.

        Source:
            S003 §2: the CPL entry used in pre-notification fixes how the DCC treats a PPMID.
        """
        model = device.model
        hex_model = f"{model.model}{model.hardware_version}".upper()
        version = model.firmware_version
        variant = None
        for entry in cpl.entries.values():
            alike = (
                entry.manufacturer_id.upper() == model.manufacturer.upper()
                and f"{entry.model_id}{entry.hardware_version}".upper() == hex_model
                and entry.device_type is device.device_type
                and entry.smets is SmetsVersion.SMETS1
            )
            if alike and entry.firmware_version.upper() == version.upper():
                variant = entry.esme_variant or None
        return bodies.DevicePrenotification(
            device=device.device,
            manufacturer=model.manufacturer,
            model=hex_model,
            device_type=device.device_type,
            firmware_version=version,
            esme_variant=variant,
            associated_gpf=gpf if device.device_type is DeviceType.CHF else None,
        )

    def log_entry(self, device: Eui64, mpxn: str | None) -> smets1_bodies.UpdateHanDeviceLog:
        """Return the 8.11 that has a device in the hub's log."""
        let_in = smets1_bodies.Whitelisting(_JOIN_S, _NO_INSTALL_CODE, mpxn)
        return smets1_bodies.UpdateHanDeviceLog(device, smets1_bodies.LogChange.ADD, let_in)

    def commission(self, now: UtcMs) -> smets1_bodies.CommissionDevice:
        """Return the 8.1.1 of a meter."""
        return smets1_bodies.CommissionDevice(UtcMs(now // 1000 * 1000), _TOLERANCE_S)

    # -- taking ------------------------------------------------------------------------------

    def take(self, octets: bytes) -> None:
        """Take a response or alert; what an S1SP signed is kept.

        Raises:
            DuisError: A document or a signature does not hold.
        """
        response = read_response(octets, self._signatories, self._dcc)
        body = response.body
        if isinstance(body, Smets1ResponseMessage) and response.header.request_id is not None:
            value = smets1_response.read_signed(body.signed, self._signatories, self._s1sp)
            self.answers[response.header.request_id] = value

    def dump(self) -> dict[str, Any]:
        """Return its memory; answers belong to requests that are over."""
        return {"counter": self.counter}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.counter = state["counter"]
        self.answers = {}


def devices_first_hub(devices: Sequence[CommissioningDevice]) -> list[CommissioningDevice]:
    """Return the devices, hub first, else in their order."""
    return sorted(devices, key=lambda one: one.device_type is not DeviceType.CHF)
