"""Commands of the Metering cluster 0x0702 on its logs, on sampling, and on what flows unasked."""

from dataclasses import dataclass
from typing import ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import ClusterCommands, Declared
from emulator.codecs.zcl.fields import U8, U16, U24, U32, U48
from emulator.codecs.zcl.heads import SNAPSHOT_ENTRY, SnapshotEntry, SnapshotRequest
from emulator.codecs.zcl.metering import CLUSTER, ChangeSupply, SupplyStatusResponse
from emulator.codecs.zigbee.blocks import Row

__all__ = ["CLUSTER", "COMMANDS", "decode", "encode"]


@dataclass(frozen=True, slots=True)
class GetSnapshot(SnapshotRequest):
    """Client to server: publish one entry of a log of registers."""


@dataclass(frozen=True, slots=True)
class PublishSnapshot(SnapshotEntry):
    """Server to client: one entry of a log of registers, with tiers and blocks.

    Attributes:
        register: The whole register.
        tiers: Registers of the tiers.
        block_head: Tiers with blocks in the high nibble, blocks in the low one.
        blocks: Block counters.

    Source:
        RTDS GCS15b, GCS15c, GCS16a; names known (Smart Energy 1.2, payload type 6).
    """

    register: int
    tiers: tuple[int, ...]
    block_head: int
    blocks: tuple[int, ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        *SNAPSHOT_ENTRY,
        c.Const(b"\x06"),  # payload type: blocks and tiers delivered, without billing
        "register" / U48,
        "tier_count" / c.Rebuild(U8, lambda values: len(values.tiers)),
        "tiers" / Row(c.Array(lambda values: values.tier_count, U48)),
        "block_head" / U8,
        "blocks"
        / Row(c.Array(lambda values: (values.block_head >> 4) * (values.block_head & 0xF), U48)),
    )


@dataclass(frozen=True, slots=True)
class StartSampling(Declared):
    """Client to server: keep samples from a moment on.

    Attributes:
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
        sample_type: 0: consumption delivered.
        interval_s: Seconds between samples.
        most: How many to keep.

    Source:
        known (Smart Energy 1.2); no message of GCS31 is at hand.
    """

    issuer_event_id: int
    start_s: int
    sample_type: int
    interval_s: int
    most: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32, "start_s" / U32, "sample_type" / U8, "interval_s" / U16,
        "most" / U16,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class StartSamplingResponse(Declared):
    """Server to client: the identifier of the samples begun."""

    sample_id: int

    FORM: ClassVar[c.Construct] = c.Struct("sample_id" / U16)


@dataclass(frozen=True, slots=True)
class GetSampledData(Declared):
    """Client to server: publish samples.

    Attributes:
        sample_id: Which samples: 0 profile, 1 daily, 2 network (RTDS GCS17, GCS61, GCS18).
        earliest_s: Seconds since 2000.
        sample_type: 0: consumption delivered.
        most: How many.
    """

    sample_id: int
    earliest_s: int
    sample_type: int
    most: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "sample_id" / U16, "earliest_s" / U32, "sample_type" / U8, "most" / U16
    )


@dataclass(frozen=True, slots=True)
class GetSampledDataResponse(Declared):
    """Server to client: samples, 24 bits each.

    Attributes:
        sample_id: As in the command.
        start_s: Of the first sample, seconds since 2000.
        sample_type: As in the command.
        interval_s: Seconds between samples; all ones: a day.
        samples: dm3 in each interval.
    """

    sample_id: int
    start_s: int
    sample_type: int
    interval_s: int
    samples: tuple[int, ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        "sample_id" / U16,
        "start_s" / U32,
        "sample_type" / U8,
        "interval_s" / U16,
        "count" / c.Rebuild(U16, lambda values: len(values.samples)),
        "samples" / Row(c.Array(lambda values: values["count"], U24)),
    )


@dataclass(frozen=True, slots=True)
class SetSupplyStatus(Declared):
    """Client to server: what the supply does after each of these.

    Attributes:
        issuer_event_id: Higher for newer information.
        tamper: State after tampering.
        depletion: State after the battery is empty.
        uncontrolled_flow: State after gas flows unasked.
        load_limit: State after a load limit; 3: unchanged.
    """

    issuer_event_id: int
    tamper: int
    depletion: int
    uncontrolled_flow: int
    load_limit: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32, "tamper" / U8, "depletion" / U8, "uncontrolled_flow" / U8,
        "load_limit" / U8,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SetUncontrolledFlowThreshold(Declared):
    """Client to server: when gas counts as flowing unasked after the valve was opened.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        threshold: Flow, in ``unit`` times multiplier over divisor.
        unit: As Metering attribute 0x0300.
        multiplier: 16 bits.
        divisor: 16 bits.
        stabilisation: Tenths of a second.
        measurement_s: Seconds.
    """

    provider_id: int
    issuer_event_id: int
    threshold: int
    unit: int
    multiplier: int
    divisor: int
    stabilisation: int
    measurement_s: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "provider_id" / U32,
        "issuer_event_id" / U32,
        "threshold" / U16,
        "unit" / U8,
        "multiplier" / U16,
        "divisor" / U16,
        "stabilisation" / U8,
        "measurement_s" / U16,
    )


#: The cluster's table, as far as GBCS asks a gas meter.
COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "metering",
    to_server={
        0x06: (GetSnapshot,),
        0x07: (StartSampling,),
        0x08: (GetSampledData,),
        0x0B: (ChangeSupply,),
        0x0D: (SetSupplyStatus,),
        0x0E: (SetUncontrolledFlowThreshold,),
    },
    to_client={
        0x06: (PublishSnapshot,),
        0x07: (GetSampledDataResponse,),
        0x0C: (SupplyStatusResponse,),
        0x0D: (StartSamplingResponse,),
    },
)
decode = COMMANDS.decode
encode = COMMANDS.encode
