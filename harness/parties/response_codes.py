"""Which response code, warning code and DCC alert code say what."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from device_profiles.rows import DuisCode
from harness.formats.duis import alerts
from harness.formats.duis.alerts import CspFirmwareDeliveryStatus, DccAlert, TransferStatus
from harness.formats.duis.credential_alerts import SecurityCredentialsUpdated
from harness.rules.firmware_checks import Category

_C = Category

#: Codes of any service, where the catalogue has none of the service's own.
#: Source: E2 role, E5 device status, E11 service and device type, E19 device: a public summary of
#: DUIS codes (smets2reference site); E4, and E100 for the rest: stand-ins. All stand in the XSD.
GENERAL: Final[Mapping[Category, str]] = MappingProxyType(
    {
        _C.NOT_ELIGIBLE_ROLE: "E2",
        _C.NOT_RESPONSIBLE: "E4",
        _C.NOT_COMMISSIONED: "E5",
        _C.NOT_APPLICABLE: "E11",
        _C.UNTARGETABLE: "E11",
        _C.UNKNOWN_DEVICE: "E19",
    }
)
FALLBACK: Final = "E100"

#: DCC alert codes.
#: Source: N13 (no response from a device): known; N60, N61: SECAS; N56 … N62: inferred (order of
#: XSD elements); N18, N39, N42, N50, N64: stand-ins for numbers that no public source gives.
_ALERT_CODES: Final[Mapping[type, str]] = MappingProxyType(
    {
        alerts.CommandFailure: "N13",
        alerts.FirmwareDistributionFailure: "N18",
        alerts.PpmidAlert: "N39",
        SecurityCredentialsUpdated: "N42",
        alerts.FirmwareVersionMismatch: "N50",
        alerts.S1spAlertPassed: "N55",
        alerts.FirmwareUpgradeRequested: "N59",
        alerts.CommsHubAlert: "N62",
        alerts.CommsHubFirmwareActivation: "N64",
    }
)
DELIVERED: Final = "N60"
NOT_DELIVERED: Final = "N61"
HUB_UPDATE_REQUESTED: Final = "N56"
HUB_ACTIVATED: Final = "N57"


class ResponseCodes:
    """Response codes by service and category, from the catalogue of DUIS codes (F-023)."""

    def __init__(self, catalogue: Mapping[str, DuisCode]) -> None:
        self._refusals: dict[tuple[str, str], str] = {}
        self._warnings: dict[str, str] = {}
        for code in catalogue.values():
            for service in code.services:
                if code.id.startswith("E"):
                    self._refusals.setdefault((service, code.category), code.id)
                elif code.id.startswith("W"):
                    self._warnings[service] = code.id

    def refusal(self, service: str, category: Category) -> str:
        """Return the code with which a service is refused for a reason."""
        own = self._refusals.get((service, str(category)))
        return own or GENERAL.get(category, FALLBACK)

    def warning(self, service: str) -> str:
        """Return the code of a response that carries warning lists.

        Raises:
            KeyError: The catalogue has none for this service.
        """
        return self._warnings[service]


def alert_code(alert: DccAlert) -> str:
    """Return the DCC alert code of an alert."""
    if isinstance(alert, CspFirmwareDeliveryStatus):
        return DELIVERED if alert.status is TransferStatus.SUCCESS else NOT_DELIVERED
    if isinstance(alert, alerts.Smets1ChFirmwareNotification):
        requested = alert.status is alerts.ChUpdateStatus.REQUESTED
        return HUB_UPDATE_REQUESTED if requested else HUB_ACTIVATED
    return _ALERT_CODES[type(alert)]
