"""What a gas meter sends its mirror: often what changes, daily all of it and its logs' new rows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from emulator.codecs.zcl import account, foundation, metering, prepayment, price, snapshots
from emulator.codecs.zcl.account import PublishPrepaySnapshot
from emulator.codecs.zcl.cluster import Command
from emulator.codecs.zcl.foundation import AttributeValue, ReportAttributes
from emulator.codecs.zcl.metering import MeteringAttribute, ReportingStatus
from emulator.codecs.zcl.snapshots import GetSampledDataResponse, PublishSnapshot
from emulator.codecs.zcl.values import ZclType
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import SendZcl
from emulator.devices.consumption import DAY_MS
from emulator.devices.gsme.model.ledger import DAILY_ROWS
from emulator.devices.gsme.model.snapshot_log import BLOCKS, TIERS
from emulator.devices.gsme.model.store import gas_clusters

if TYPE_CHECKING:
    from emulator.devices.gsme.gsme import Gsme

#: Attributes of each report. Source: known (SMETS2: every half hour the register and balances).
OFTEN: Final = {
    metering.CLUSTER: ("register_dm3", "bill_to_date_millipence"),
    prepayment.CLUSTER: (
        "credit_millipence", "emergency_credit_millipence", "accumulated_debt_millipence",
    ),
}  # fmt: skip
_HALF_HOUR_S: Final = 1800
_HALF_HOURS: Final = 48
_PROFILE: Final = 0
_CLUSTERS: Final = (metering.CLUSTER, price.CLUSTER, prepayment.CLUSTER)
#: Octets of attribute records in one frame: one fragment of the air holds it.
_ROOM: Final = 48
_RECORD_HEAD: Final = 3
#: Attributes that the last frame of every report has.
LAST: Final = frozenset(
    {
        MeteringAttribute.SUPPLY_STATUS,
        MeteringAttribute.REMAINING_BATTERY_LIFE_DAYS,
        MeteringAttribute.CURRENT_METER_ID,
    }
)


def often(device: "Gsme", now: UtcMs) -> list[SendZcl]:
    """Return the reports of what changes all the time."""
    named = gas_clusters().named
    found: list[SendZcl] = []
    for cluster, names in OFTEN.items():
        values = {named[name].number: device.model.attribute(named[name], now) for name in names}
        found += _reports(device, cluster, {n: v for n, v in values.items() if v is not None})
    return found


def whole(device: "Gsme", now: UtcMs) -> list[SendZcl]:
    """Return the reports of all that the mirror keeps."""
    return [
        report
        for cluster in _CLUSTERS
        for report in _reports(device, cluster, device.model.served(cluster, now))
    ]


def _reports(device: "Gsme", cluster: int, values: dict[int, AttributeValue]) -> Iterable[SendZcl]:
    """Yield the reports of a cluster's attributes, each of which one frame can hold."""
    pending: dict[int, AttributeValue] = {}
    room = _ROOM
    for number, value in values.items():
        if cluster == metering.CLUSTER and number in LAST:
            continue
        length = _length(value)
        if pending and length > room:
            yield _report(device, cluster, pending)
            pending, room = {}, _ROOM
        pending[number] = value
        room -= length
    if pending:
        yield _report(device, cluster, pending)


def _length(value: AttributeValue) -> int:
    """Return the octets of an attribute record: identifier, type, value."""
    if isinstance(value.value, bytes | str):
        return _RECORD_HEAD + 1 + len(value.value)
    return _RECORD_HEAD + (1 if value.type is ZclType.ENUM8 else value.type % 8 + 1)


def _report(device: "Gsme", cluster: int, values: dict[int, AttributeValue]) -> SendZcl:
    """Return one report; one of Metering says that more follow."""
    if cluster == metering.CLUSTER:
        status = MeteringAttribute.ATTRIBUTE_REPORTING_STATUS
        more = AttributeValue(metering.TYPES[status], int(ReportingStatus.PENDING))
        values = {**values, int(status): more}
    frame = foundation.encode(
        ReportAttributes(tuple(values.items())), device.next_sequence(), server_to_client=True
    )
    return SendZcl(device.network.gpf, cluster, frame)


# -- logs ----------------------------------------------------------------------------------------


def logs(device: "Gsme", since: UtcMs, now: UtcMs) -> list[SendZcl]:
    """Return what the logs hold since the last time: daily and billing entries, half hours."""
    model, after = device.model, to_zigbee_seconds(since)
    commands: list[tuple[int, Command]] = []
    for name in ("daily", "billing", "change"):
        registered = registers(device, name, since, now)
        commands += [(snapshots.CLUSTER, one) for one in registered[-DAILY_ROWS:]]
        rows = [row for row in model.accounts_log(name, now) if row[1] > after]
        commands += [(account.CLUSTER, _accounts(row)) for row in rows[-DAILY_ROWS:]]
    commands += [(snapshots.CLUSTER, part) for part in _half_hours(device, since, now)]
    return [_publish(device, cluster, command) for cluster, command in commands]


def registers(device: "Gsme", name: str, since: UtcMs, now: UtcMs) -> list[PublishSnapshot]:
    """Return the rows of a log of registers after a moment by the device's clock."""
    after = to_zigbee_seconds(since)
    return [_registers(row) for row in device.model.registers_log(name, now) if row[1] > after]


def _registers(row: tuple[int, ...]) -> PublishSnapshot:
    number, at, cause, register, *parts = row
    head = 1 << 4 | BLOCKS
    tiers, blocks = tuple(parts[:TIERS]), tuple(parts[TIERS:])
    return PublishSnapshot(number, at, 1, 0, 1, cause, register, tiers, head, blocks)


def _accounts(row: tuple[int, ...]) -> PublishPrepaySnapshot:
    number, at, cause, accumulated, *debts, emergency, credit = row
    return PublishPrepaySnapshot(
        number, at, 1, 0, 1, cause, accumulated, tuple(debts), emergency, credit
    )


def _half_hours(device: "Gsme", since: UtcMs, now: UtcMs) -> Iterable[GetSampledDataResponse]:
    """Yield the half hours since the last time, a day in a command."""
    series = device.model.series("profile", _HALF_HOUR_S, now, since)
    if series is None:
        return
    first = max(0, (to_zigbee_seconds(since) - series.start_s) // _HALF_HOUR_S + 1)
    for at in range(first, len(series.samples), _HALF_HOURS):
        samples = series.samples[at : at + _HALF_HOURS]
        start = series.start_s + at * _HALF_HOUR_S
        yield GetSampledDataResponse(_PROFILE, start, 0, _HALF_HOUR_S, samples)


def _publish(device: "Gsme", cluster: int, command: Command) -> SendZcl:
    table = snapshots if cluster == snapshots.CLUSTER else account
    frame = table.encode(command, device.next_sequence())
    return SendZcl(device.network.gpf, cluster, frame)


def midnight_before(device: "Gsme", now: UtcMs) -> UtcMs:
    """Return the midnight, by the device's clock, that was last."""
    shown = device.local_time(now)
    return UtcMs(shown - shown % DAY_MS)
