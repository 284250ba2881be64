"""Asks a dongle who it is and what it can be used as; resets it, and sends nothing by radio."""

from dataclasses import dataclass, field
from typing import Any, Final

import bellows.types as bt

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee_certificate import Certificate163, Certificate283
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.test_certificates import ISSUERS
from harness.errors import HarnessError
from hil.dongle_parts import line_of
from hil.dongle_sections import DongleSection
from hil.probe import Difference
from hil.tap import Tap
from hil.zigbee.cbke_engines import ncp_suites
from hil.zigbee.errors import translated
from hil.zigbee.ezsp import DongleEzsp
from hil.zigbee.guard import Guard, Role
from hil.zigbee.radio_thread import RadioThread

_CURVES: Final = {KeySuite.CBKE_283: "283k1", KeySuite.CBKE_163: "163k1"}
_ENDINGS: Final = {KeySuite.CBKE_283: "283k1", KeySuite.CBKE_163: ""}
_FORMS: Final[dict[KeySuite, type[Certificate163] | type[Certificate283]]] = {
    KeySuite.CBKE_283: Certificate283,
    KeySuite.CBKE_163: Certificate163,
}
_YES: Final = "yes"
_ON_NETWORK: Final = {0x00: "on none", 0x01: "joining", 0x02: "on one", 0x03: "lost its parent"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a dongle tells of itself.

    Attributes:
        eui64: Its address.
        ezsp: Version of EZSP.
        firmware: Version of its firmware; empty where it does not tell.
        board: Maker and board, as it tells.
        suites: Suites of CBKE for which its image has the libraries.
        issuers: Suite -> issuer of its certificate, where it has one.
        network: Whether it is on a network.
    """

    eui64: Eui64
    ezsp: int
    firmware: str
    board: str
    suites: tuple[KeySuite, ...]
    issuers: dict[KeySuite, bytes]
    network: str

    @property
    def is_production(self) -> bool:
        """Whether it has a certificate that no test authority has issued."""
        return any(issuer not in set(ISSUERS.values()) for issuer in self.issuers.values())


@dataclass(slots=True)
class ProbedDongle:
    """What asking one dongle came to.

    Attributes:
        name: What the bench file calls it.
        endpoint: Where it was asked.
        facts: What it says of itself, by name.
        uses: What it can be used as -> ``yes``, or ``no`` and why.
        differences: What it says otherwise than expected.
        error: Why it could not be asked at all; None: it could.
    """

    name: str
    endpoint: str
    facts: dict[str, str] = field(default_factory=dict)
    uses: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    error: HarnessError | None = None

    @property
    def is_clean(self) -> bool:
        """Whether it answered, and as expected."""
        return self.error is None and not self.differences

    def row(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "dongle": self.name,
            "endpoint": self.endpoint,
            "facts": self.facts,
            "uses": self.uses,
            "differences": [
                {"what": one.what, "expected": one.expected, "found": one.found}
                for one in self.differences
            ],
            "error": None if self.error is None else self.error.what,
        }


async def probed(
    name: str, section: DongleSection, path: str, tap: Tap | None = None
) -> ProbedDongle:
    """Ask one dongle.

    Args:
        name: What the bench file calls it.
        section: What the bench file says of it.
        path: Where it is.
        tap: Who hears every octet of its line.
    """
    found = ProbedDongle(name, str(section.where))
    try:
        told = await ask(name, section, path, tap)
    except HarnessError as error:
        found.error = error
        return found
    found.facts = facts_of(told, section)
    found.uses = uses_of(told, section)
    found.differences = differences_of(told, section)
    return found


async def ask(name: str, section: DongleSection, path: str, tap: Tap | None = None) -> Told:
    """Open the line of a dongle, read what it tells of itself, and close it.

    Raises:
        BenchError: It is not there, does not answer, or goes away.
    """
    thread = RadioThread(f"probe {name}")
    thread.start()
    ezsp = DongleEzsp(line_of(name, section, path), Guard(Role.OBSERVER), tap)
    try:
        return await thread.run(_asked(ezsp))
    finally:
        await thread.stop()


async def _asked(ezsp: DongleEzsp) -> Told:
    await ezsp.connect()
    try:
        eui64 = await ezsp.read_eui64()
        with translated(ezsp.settings.path):
            maker, board, firmware = await ezsp.get_board_info()
            (state,) = await ezsp.networkState()
        suites = await ncp_suites(ezsp)
        issuers = {}
        for suite in suites:
            issuer = await _issuer(ezsp, suite)
            if issuer is not None:
                issuers[suite] = issuer
        return Told(
            eui64,
            int(ezsp.ezsp_version),
            firmware or "",
            " ".join(part for part in (maker, board) if part),
            suites,
            issuers,
            _ON_NETWORK.get(int(state), f"in state {int(state):#04x}"),
        )
    finally:
        with translated(ezsp.settings.path):
            await ezsp.disconnect()


async def _issuer(ezsp: DongleEzsp, suite: KeySuite) -> bytes | None:
    """Return who issued the certificate in the dongle; None: it has none that can be read."""
    with translated(ezsp.settings.path):
        status, certificate = await getattr(ezsp, "getCertificate" + _ENDINGS[suite])()
    if bt.sl_Status.from_ember_status(status) != bt.sl_Status.OK:
        return None
    try:
        return _FORMS[suite].decode(bytes(certificate.serialize())).issuer
    except MalformedFrameError:
        return None


def facts_of(told: Told, section: DongleSection) -> dict[str, str]:
    """Return what a dongle tells of itself, in words."""
    library = ", ".join(_CURVES[one] for one in told.suites)
    issuers = {
        _CURVES[suite]: issuer.decode("ascii", "replace") for suite, issuer in told.issuers.items()
    }
    shown = ", ".join(f"{curve} of {issuer}" for curve, issuer in issuers.items())
    return {
        "EUI-64": str(told.eui64),
        "EZSP": f"v{told.ezsp}",
        "firmware": told.firmware or "(it does not tell)",
        **({"board": told.board} if told.board else {}),
        "CBKE": f"library ({library})" if library else "ECC stubs",
        "certificate": shown or "none",
        "network": told.network,
        "flow control": section.flow_control or "software (as bellows does unless told)",
    }


def uses_of(told: Told, section: DongleSection) -> dict[str, str]:
    """Return what a dongle can be used as, each with why not."""
    key = _why_no_key(told, section)
    joins = f"no, because {key}" if key else _YES
    if told.is_production:
        joins = "no, because its certificate is no test certificate: it may only observe"
    elif not key and section.cbke == "host":
        joins = "yes, keys made by this computer; no certificate of ours opens a production hub"
    elif not key and section.cbke == "none":
        joins = 'up to the network key; nobody agrees on a link key (cbke = "none")'
    return {"observe": _YES, "join": joins, "hub": joins}


def _why_no_key(told: Told, section: DongleSection) -> str:
    if section.cbke != "ncp" and section.role is not Role.OBSERVER:
        return ""
    if not told.suites:
        return "the image carries ECC stubs"
    if not told.issuers:
        return "no certificate was written into it"
    return ""


def differences_of(told: Told, section: DongleSection) -> list[Difference]:
    """Return what a dongle tells otherwise than the bench file says."""
    found = []
    if told.ezsp not in section.ezsp:
        wanted = ", ".join(f"v{one}" for one in section.ezsp)
        found.append(Difference("EZSP", wanted, f"v{told.ezsp}"))
    if section.eui64 is not None and Eui64.parse(section.eui64) != told.eui64:
        found.append(Difference("EUI-64", section.eui64, str(told.eui64)))
    if section.firmware is not None and not told.firmware.startswith(section.firmware):
        found.append(Difference("firmware", section.firmware, told.firmware or "nothing"))
    return found
