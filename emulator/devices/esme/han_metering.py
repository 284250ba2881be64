"""The Metering cluster of an electricity meter: its registers, its demand, its switch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from device_profiles.words import ZSE_SUPPLY_STATUS, SupplyState
from emulator.codecs.zcl import metering
from emulator.codecs.zcl.foundation import AttributeValue, ZclType
from emulator.codecs.zcl.metering import MeteringAttribute
from emulator.core.clock import UtcMs
from emulator.devices.consumption import DAY_MS, Consumption, Kind

if TYPE_CHECKING:
    from emulator.devices.esme.model.model import EsmeModel

#: Attributes of the register and consumption sets that GBCS messages do not read.
#: Source: Smart Energy 1.2 (known).
SUMMATION_RECEIVED: Final = 0x0001
INSTANTANEOUS_DEMAND: Final = 0x0400
CURRENT_DAY_DELIVERED: Final = 0x0401
CURRENT_DAY_RECEIVED: Final = 0x0402
PREVIOUS_DAY_DELIVERED: Final = 0x0403
PREVIOUS_DAY_RECEIVED: Final = 0x0404
_TIERS: Final = (
    MeteringAttribute.TIER_1_SUMMATION_DELIVERED,
    MeteringAttribute.TIER_2_SUMMATION_DELIVERED,
    MeteringAttribute.TIER_3_SUMMATION_DELIVERED,
    MeteringAttribute.TIER_4_SUMMATION_DELIVERED,
)
_KWH: Final = 0
_ELECTRICITY: Final = 0
_WH_IN_KWH: Final = 1000


def attributes(
    consumption: Consumption, switch: SupplyState, now: UtcMs
) -> Mapping[int, AttributeValue]:
    """Return the attributes.

    Args:
        consumption: What the household uses and feeds in.
        switch: State of the load switch.
        now: The present moment; days are those of UTC.
    """
    today = UtcMs(now - now % DAY_MS)
    yesterday = UtcMs(today - DAY_MS)

    def used(kind: Kind, since: UtcMs, until: UtcMs) -> int:
        return consumption.energy_wh(kind, until) - consumption.energy_wh(kind, since)

    values = {
        MeteringAttribute.CURRENT_SUMMATION_DELIVERED: consumption.energy_wh(Kind.IMPORT, now),
        MeteringAttribute.SUPPLY_STATUS: ZSE_SUPPLY_STATUS[switch],
        MeteringAttribute.UNIT_OF_MEASURE: _KWH,
        MeteringAttribute.MULTIPLIER: 1,
        MeteringAttribute.DIVISOR: _WH_IN_KWH,
        MeteringAttribute.METERING_DEVICE_TYPE: _ELECTRICITY,
    }
    served: dict[int, AttributeValue] = {
        key: AttributeValue(metering.TYPES[key], value) for key, value in values.items()
    }
    received = consumption.energy_wh(Kind.EXPORT, now)
    served[SUMMATION_RECEIVED] = AttributeValue(ZclType.UINT48, received)
    served[INSTANTANEOUS_DEMAND] = AttributeValue(ZclType.INT24, consumption.power_w(now))
    days = {
        CURRENT_DAY_DELIVERED: used(Kind.IMPORT, today, now),
        CURRENT_DAY_RECEIVED: used(Kind.EXPORT, today, now),
        PREVIOUS_DAY_DELIVERED: used(Kind.IMPORT, yesterday, today),
        PREVIOUS_DAY_RECEIVED: used(Kind.EXPORT, yesterday, today),
    }
    return served | {key: AttributeValue(ZclType.UINT24, value) for key, value in days.items()}


def of_model(model: "EsmeModel", now: UtcMs) -> Mapping[int, AttributeValue]:
    """Return what only the model knows: registers of the first tiers, MPAN, tamper state."""
    model.ledger.settle(now)
    wh = [model.ledger.tou.get(place, 0) for place in range(len(_TIERS))]
    served: dict[int, AttributeValue] = {
        key: AttributeValue(metering.TYPES[key], value)
        for key, value in zip(_TIERS, wh, strict=True)
    }
    site, tamper = MeteringAttribute.SITE_ID, MeteringAttribute.SUPPLY_TAMPER_STATE
    octets, state = model.store.octets("import_mpan"), model.store.number("supply_tamper_state")
    return {
        **served,
        site: AttributeValue(metering.TYPES[site], octets),
        tamper: AttributeValue(metering.TYPES[tamper], int(bool(state))),
    }
