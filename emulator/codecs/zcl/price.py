"""Price cluster 0x0700: tariffs, prices, conversion and billing periods, published or asked for."""

from dataclasses import dataclass
from typing import ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import ClusterCommands, Declared
from emulator.codecs.zcl.fields import OCTETS, U8, U16, U24, U32, U48, pairs_to_end
from emulator.codecs.zcl.heads import ISSUED, TARIFF_PART, Issued, IssuedRequest, TariffPart
from emulator.codecs.zigbee.blocks import Row

CLUSTER: Final = 0x0700


@dataclass(frozen=True, slots=True)
class GetCurrentPrice(Declared):
    """Client to server: publish the price that counts now.

    Attributes:
        options: Bit 0: the asker's receiver is on when idle.
    """

    options: int

    FORM: ClassVar[c.Construct] = c.Struct("options" / U8)


@dataclass(frozen=True, slots=True)
class GetScheduledPrices(Declared):
    """Client to server: publish the prices from a moment on.

    Attributes:
        start_s: Seconds since 2000; 0: now.
        most: How many; 0: all.
    """

    start_s: int
    most: int

    FORM: ClassVar[c.Construct] = c.Struct("start_s" / U32, "most" / U8)


@dataclass(frozen=True, slots=True)
class GetTariffInformation(IssuedRequest):
    """Client to server: publish what kind of tariff it is."""


@dataclass(frozen=True, slots=True)
class GetPriceMatrix(Declared):
    """Client to server: publish the prices of a tariff."""

    tariff_id: int

    FORM: ClassVar[c.Construct] = c.Struct("tariff_id" / U32)


@dataclass(frozen=True, slots=True)
class GetBlockThresholds(Declared):
    """Client to server: publish where the blocks of a tariff end."""

    tariff_id: int

    FORM: ClassVar[c.Construct] = c.Struct("tariff_id" / U32)


@dataclass(frozen=True, slots=True)
class PublishPrice(Declared):
    """Server to client: the price that counts, without the optional fields.

    Attributes:
        provider_id: 32 bits.
        rate_label: Name of the rate.
        issuer_event_id: Higher for newer information.
        current_time_s: Seconds since 2000.
        unit_of_measure: As Metering attribute 0x0300.
        currency: ISO 4217 number; 826 is GBP.
        trailing_digit: Decimal places of the price in the high nibble, price tier in the low one.
        tiers: Number of price tiers in the high nibble, register tier in the low one.
        start_s: When the price began, seconds since 2000; 0: with this command.
        duration_min: Minutes it counts.
        price: Price of a unit.

    Source:
        RTDS GCS21f; names known (Smart Energy 1.2).
    """

    provider_id: int
    rate_label: bytes
    issuer_event_id: int
    current_time_s: int
    unit_of_measure: int
    currency: int
    trailing_digit: int
    tiers: int
    start_s: int
    duration_min: int
    price: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "provider_id" / U32,
        "rate_label" / OCTETS,
        "issuer_event_id" / U32,
        "current_time_s" / U32,
        "unit_of_measure" / U8,
        "currency" / U16,
        "trailing_digit" / U8,
        "tiers" / U8,
        "start_s" / U32,
        "duration_min" / U16,
        "price" / U32,
    )


@dataclass(frozen=True, slots=True)
class PublishBlockPeriod(Issued):
    """Server to client: how long block counters count before they begin anew.

    Attributes:
        duration: In the unit of ``duration_type``.
        control: Bits of the block period.
        duration_type: Unit in the low nibble (0 minutes, 1 days, 2 weeks, 3 months), where it
            begins in the high one.
        tariff_type: Low nibble.
        resolution: How thresholds are spread.

    Source:
        RTDS GCS25a; names known (Smart Energy 1.2).
    """

    duration: int
    control: int
    duration_type: int
    tariff_type: int
    resolution: int

    FORM: ClassVar[c.Construct] = c.Struct(
        *ISSUED,
        "duration" / U24,
        "control" / U8,
        "duration_type" / U8,
        "tariff_type" / U8,
        "resolution" / U8,
    )


@dataclass(frozen=True, slots=True)
class PublishConversionFactor(Declared):
    """Server to client: from measured volume to volume at reference conditions.

    Attributes:
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
        conversion_factor: Number without its decimal point.
        trailing_digit: Decimal places in the high nibble.
    """

    issuer_event_id: int
    start_s: int
    conversion_factor: int
    trailing_digit: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32, "start_s" / U32, "conversion_factor" / U32, "trailing_digit" / U8
    )


@dataclass(frozen=True, slots=True)
class PublishCalorificValue(Declared):
    """Server to client: energy in a volume of gas.

    Attributes:
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
        calorific_value: Number without its decimal point.
        unit: 1: MJ/m3, 2: MJ/kg.
        trailing_digit: Decimal places in the high nibble.
    """

    issuer_event_id: int
    start_s: int
    calorific_value: int
    unit: int
    trailing_digit: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32,
        "start_s" / U32,
        "calorific_value" / U32,
        "unit" / U8,
        "trailing_digit" / U8,
    )


@dataclass(frozen=True, slots=True)
class PublishTariffInformation(Declared):
    """Server to client: what kind of tariff begins.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        tariff_id: Identifier of the tariff.
        start_s: Seconds since 2000; 0: now.
        scheme: Charging scheme in the high nibble (0 TOU, 1 block), tariff type in the low one.
        label: Name of the tariff.
        tiers_in_use: Price tiers in use.
        thresholds_in_use: Block thresholds in use.
        unit_of_measure: As Metering attribute 0x0300.
        currency: ISO 4217 number.
        trailing_digit: Decimal places of prices in the high nibble.
        standing_charge: Price of a day.
        tier_block_mode: How blocks and tiers go together.
        threshold_multiplier: Thresholds are multiplied by this.
        threshold_divisor: Thresholds are divided by this.

    Source:
        known (Smart Energy 1.2); no message of GCS01a or GCS01b is at hand.
    """

    provider_id: int
    issuer_event_id: int
    tariff_id: int
    start_s: int
    scheme: int
    label: bytes
    tiers_in_use: int
    thresholds_in_use: int
    unit_of_measure: int
    currency: int
    trailing_digit: int
    standing_charge: int
    tier_block_mode: int
    threshold_multiplier: int
    threshold_divisor: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "provider_id" / U32,
        "issuer_event_id" / U32,
        "tariff_id" / U32,
        "start_s" / U32,
        "scheme" / U8,
        "label" / OCTETS,
        "tiers_in_use" / U8,
        "thresholds_in_use" / U8,
        "unit_of_measure" / U8,
        "currency" / U16,
        "trailing_digit" / U8,
        "standing_charge" / U32,
        "tier_block_mode" / U8,
        "threshold_multiplier" / U24,
        "threshold_divisor" / U24,
    )


@dataclass(frozen=True, slots=True)
class PublishPriceMatrix(TariffPart):
    """Server to client: prices of a tariff.

    Attributes:
        control: Bit 0: prices are of tiers; else of blocks.
        prices: (tier, or tier in the high nibble and block in the low one; price).

    Source:
        known (Smart Energy 1.2); no message of GCS01a or GCS01b is at hand.
    """

    prices: tuple[tuple[int, int], ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        *TARIFF_PART,
        "prices" / pairs_to_end(U8, U32),
    )


@dataclass(frozen=True, slots=True)
class PublishBlockThresholds(TariffPart):
    """Server to client: where blocks end.

    Attributes:
        control: Bit 0: the thresholds are of all tiers.
        tier: Tier that they are of, in the high nibble; the number of them is the low one.
        thresholds: 48 bits each.

    Source:
        known (Smart Energy 1.2); no message of GCS01a is at hand.
    """

    tier: int
    thresholds: tuple[int, ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        *TARIFF_PART,
        "head" / c.Rebuild(U8, lambda values: values.tier << 4 | len(values.thresholds)),
        "tier" / c.Computed(lambda values: values.head >> 4),
        "thresholds" / Row(c.Array(lambda values: values.head & 0xF, U48)),
    )


@dataclass(frozen=True, slots=True)
class GetBillingPeriod(IssuedRequest):
    """Client to server: publish billing periods."""


@dataclass(frozen=True, slots=True)
class PublishBillingPeriod(Issued):
    """Server to client: when billing periods begin.

    Attributes:
        duration: In the unit of ``duration_type``.
        duration_type: As in `PublishBlockPeriod`.
        tariff_type: Low nibble.

    Source:
        RTDS GCS21d, GCS25a; names known (Smart Energy 1.2).
    """

    duration: int
    duration_type: int
    tariff_type: int

    FORM: ClassVar[c.Construct] = c.Struct(
        *ISSUED,
        "duration" / U24,
        "duration_type" / U8,
        "tariff_type" / U8,
    )


#: The cluster's table.
COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "price",
    to_server={
        0x00: (GetCurrentPrice,),
        0x01: (GetScheduledPrices,),
        0x06: (GetTariffInformation,),
        0x07: (GetPriceMatrix,),
        0x08: (GetBlockThresholds,),
        0x0B: (GetBillingPeriod,),
    },
    to_client={
        0x00: (PublishPrice,),
        0x01: (PublishBlockPeriod,),
        0x02: (PublishConversionFactor,),
        0x03: (PublishCalorificValue,),
        0x04: (PublishTariffInformation,),
        0x05: (PublishPriceMatrix,),
        0x06: (PublishBlockThresholds,),
        0x09: (PublishBillingPeriod,),
    },
)
decode = COMMANDS.decode
encode = COMMANDS.encode
