"""From requests to GBCS commands and pre-commands, for one device of the inventory.

Reads are rows of ``duis-transforms.csv`` (``dsp_contents`` has their language). Whatever has
arguments goes through ``harness.formats.duis.transforms``, as every critical request does.

Source:
    Grouping headers: RTDS 4.5.0 (reference gbcs.md section 3).
"""

from dataclasses import replace
from typing import Any, Final

from lxml import etree

from device_profiles.duis_services import Transform
from device_profiles.words import DeviceType
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MessageCode
from harness.formats.duis import date_time
from harness.formats.duis.dcc_bodies import OtherBody
from harness.formats.duis.faults import DuisError
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.smets1_bodies import LogPeriod, ReadDeviceLog, ReadEventOrSecurityLog
from harness.formats.duis.transforms import non_critical, table
from harness.formats.duis.transforms.outcome import Context, Refusal, Refused
from harness.formats.duis.transforms.payloads import Payload
from harness.formats.duis.xml_input import parse
from harness.parties import dsp_contents
from harness.parties.dsp_contents import Reader
from harness.parties.transform import THROUGH_ACB

_SECURITY_DETAILS: Final = "security"
_WORD: Final = "ESMEEventLogType"


def through_acb(kind: DeviceType, *, knows_user: bool) -> bool:
    """Say whether the broker has to speak to a device in a user's place."""
    return kind in THROUGH_ACB or not knows_user


def asks_of(body: Any) -> str:
    """Return the word of a body by which one of several transforms is chosen; empty for none."""
    match body:
        case ReadEventOrSecurityLog(log=log):
            return str(log)
        case ReadDeviceLog(security=security):
            return "" if security is None else _SECURITY_DETAILS
        case OtherBody(octets=octets) if octets:
            return parse(octets).findtext(f".//{{*}}{_WORD}") or ""
    return ""


def period_of(body: Any) -> LogPeriod | None:
    """Return the part of a log that a body names, or None.

    Raises:
        DuisError: It names no moments.
    """
    if isinstance(body, OtherBody):
        if not body.octets:
            return None
        root = parse(body.octets)
        found = [_text(root, name) for name in ("StartDateTime", "EndDateTime")]
        first, last = (None if text is None else date_time.read(text) for text in found)
        return None if first is None or last is None else LogPeriod(first, last)
    period = getattr(body, "period", None)
    return period if isinstance(period, LogPeriod) else None


def _text(root: etree._Element, name: str) -> str | None:
    return root.findtext(f"{{*}}ReadLogPeriod/{{*}}{name}")


def command(
    row: Transform | None, asked: ServiceRequest, reader: Reader, context: Context
) -> Envelope | Refused:
    """Return the command of a request that is not critical; MAC and signature are still to come.

    Args:
        row: The row of the table for it, or None where a transform has to make it.
        asked: The request.
        reader: Who speaks to the device.
        context: What is known of devices, and the time.
    """
    made = _by_row(row, asked, reader) if row is not None else _built(asked, reader, context)
    if isinstance(made, Refused):
        return made
    header = GroupingHeader(
        Cra.COMMAND,
        reader.counter,
        reader.originator,
        reader.target,
        OtherInformation(made.code, *reader.other),
    )
    return Envelope(header, made.octets, b"")


def _by_row(row: Transform, asked: ServiceRequest, reader: Reader) -> Payload | Refused:
    try:
        octets = dsp_contents.payload(row.content, reader, period_of(asked.body))
    except DuisError as error:
        return Refused(Refusal.MALFORMED, str(error))
    except ValueError as error:
        return Refused(Refusal.OUT_OF_RANGE, str(error))
    return Payload(MessageCode[row.message], octets)


def _built(asked: ServiceRequest, reader: Reader, context: Context) -> Payload | Refused:
    """Return the payload that a transform makes, with the counter of who speaks."""
    spoken = RequestId(reader.originator, reader.target, reader.counter)
    header = replace(asked.header, request_id=spoken)
    return non_critical.payload_of(replace(asked, header=header), context)


def is_made(service: str, kind: DeviceType) -> bool:
    """Say whether a transform makes the command, or the pre-command, of a service."""
    return (service, kind) in non_critical.RULES or (service, kind) in table.RULES
