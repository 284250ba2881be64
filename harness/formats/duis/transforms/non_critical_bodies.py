"""Bodies of requests whose command the DCC sends by itself: credentials, boost buttons."""

from dataclasses import dataclass
from typing import Annotated, Final

from emulator.core.clock import UtcMs
from harness.formats.duis import kinds
from harness.formats.duis.smets1_bodies import PartyRole
from harness.formats.duis.smets1_shapes import CERTIFICATE
from harness.formats.duis.transforms.declared import Body, element, mark, text

_BUTTONS: Final = 5
_COUNTER: Final = kinds.whole_number(0, 2**63 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCredentials(Body):
    """6.24.1: who holds the places of these roles."""

    roles: Annotated[
        tuple[PartyRole, ...], element("RemotePartyRole", kinds.words(PartyRole), most=7)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementCertificate(Body):
    """The certificates of 8.5: one."""

    agreement: Annotated[bytes, element("KeyAgreementCertificate", CERTIFICATE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Path(Body):
    """How certificates lead to the root."""

    certificates: Annotated[tuple[bytes, ...], element("Certificate", CERTIFICATE, most=3)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut(Body):
    """8.5: another broker from a moment on."""

    execution_time: Annotated[UtcMs, element("ExecutionDateTime", kinds.DATE_TIME)]
    floor: Annotated[int, element("ACBFloorSeqNumber", _COUNTER)]
    certificates: Annotated[
        AgreementCertificate, element("ReplacementCertificates", AgreementCertificate)
    ]
    path: Annotated[Path, element("CertificationPathCertificates", Path)]
    time_checked: Annotated[bool, element("ApplyTimeBasedCPVChecks", kinds.BOOLEAN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostButton(Body):
    """Whether an auxiliary load switch is meant."""

    number: Annotated[int, mark("index", kinds.whole_number(1, _BUTTONS))]
    meant: Annotated[bool, text(kinds.BOOLEAN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddBoost(Body):
    """7.9: switches that the boost button works on from now on."""

    execution_time: Annotated[
        UtcMs | None, element("ExecutionDateTime", kinds.DATE_TIME, optional=True)
    ] = None
    buttons: Annotated[
        tuple[BoostButton, ...],
        element("AddToBoostButton", BoostButton, least=_BUTTONS, most=_BUTTONS),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveBoost(Body):
    """7.10: switches that it does not work on any more."""

    execution_time: Annotated[
        UtcMs | None, element("ExecutionDateTime", kinds.DATE_TIME, optional=True)
    ] = None
    buttons: Annotated[
        tuple[BoostButton, ...],
        element("RemoveFromBoostButton", BoostButton, least=_BUTTONS, most=_BUTTONS),
    ]
