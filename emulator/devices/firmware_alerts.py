"""What a device tells its supplier of its firmware: receipts and critical alerts."""

from emulator.codecs.gbcs import alerts, gbz
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.use_cases import MessageCode, PayloadKind
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.base import Device


class FirmwareAlerts(Device):
    """A device that tells of its firmware, in the language of its alerts."""

    def tell_receipt(self, code: AlertCode, image_hash: bytes, now: UtcMs) -> list[Effect]:
        """Send the Firmware Distribution Receipt Alert to the supplier: 8F72 or 8F1C.

        Source:
            DLMS from an ESME, GBZ from a GSME: RTDS NA_FDRA. From an HCALCS as from an ESME:
            inferred (no source shows one). 8F1C in the same message: reference gbcs.md section 8.
        """
        at, target = self.local_time(now), self.network.supplier(self.eui64)
        if self.alert_language is PayloadKind.GBZ:
            receipt = gbz.encode_alert(alerts.gbz_firmware_receipt(code, at, image_hash))
            return self.alert(MessageCode.FDRA_GBZ, target, lambda _: receipt)
        return self.alert(
            MessageCode.FDRA_DLMS,
            target,
            lambda counter: alerts.encode_dlms_alert(
                alerts.dlms_firmware_receipt(counter, code, at, image_hash)
            ),
        )

    def tell_critical(self, code: AlertCode, now: UtcMs) -> list[Effect]:
        """Send a generic critical alert (message code 1000) to the supplier.

        Source:
            RTDS NA_GCA for the form. That 8F43 and 8F1B travel so: inferred (SGM1400 p94 calls
            8F1B critical; no vector shows either).
        """
        at, target = self.local_time(now), self.network.supplier(self.eui64)
        if self.alert_language is PayloadKind.GBZ:
            body = gbz.encode_alert(gbz.GbzAlert(code, at))
            return self.alert(MessageCode.GCA, target, lambda _: body)
        return self.alert(
            MessageCode.GCA,
            target,
            lambda counter: alerts.encode_dlms_alert(alerts.dlms_alert(counter, code, at)),
        )
