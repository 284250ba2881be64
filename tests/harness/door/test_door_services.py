"""Service families at the door: every sample request, schedules, pre-commands, the table itself."""

import asyncio
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from device_profiles import installation as installations
from device_profiles.duis_services import (
    PLAYED,
    Transform,
    load_duis_services,
    load_transforms,
)
from device_profiles.smets1_services import load_smets1_services
from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.core.clock import from_datetime, to_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from emulator.crypto.protection import KeyRing, sign
from harness.door.homes import Homes
from harness.door.settling import Patience
from harness.door.sorting import code_of
from harness.formats.duis import smets1_bodies
from harness.formats.duis.bodies import ReadInventory, RequestBody, SignedPreCommand
from harness.formats.duis.dcc_bodies import (
    CreateSchedule,
    DecommissionDevice,
    DeleteSchedule,
    Frequency,
    OtherBody,
    ReadSchedule,
    ScheduledLog,
    ScheduledRead,
    ScheduleIdentity,
    SchedulesOf,
)
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import (
    RequestHeader,
    ServiceRequest,
    peek,
    read_request,
    write_request,
)
from harness.formats.duis.responses import (
    PreCommand,
    ResponseMessage,
    Smets1ResponseMessage,
    read_response,
)
from harness.formats.duis.schedule_contents import ScheduleCreated, ScheduledMessage, Schedules
from harness.formats.duis.shape import NAMESPACE
from harness.new_installations import Order, generate
from harness.parties.dsp_transform import is_made
from tests.given import DUIS_DIR, needs_duis
from tests.harness.door.door_kit import EIS, ESME, GSME, Served, device, opened, resigned
from tests.harness.door.test_door_contract import strange_key
from tests.harness.formats.duis_given import is_valid

#: The devices of the samples.
SAMPLED = {
    DeviceType.ESME: "00-DB-12-34-56-78-90-A0",
    DeviceType.GSME: "00-DB-12-34-56-78-90-A1",
    DeviceType.CHF: "00-DB-12-34-56-78-90-A2",
    DeviceType.GPF: "00-DB-12-34-56-78-90-A3",
    DeviceType.PPMID: "00-DB-12-34-56-78-90-A4",
}
T = TypeVar("T")
SUPPLIER = "02-53-42-00-00-01-00-00"
SMETS1_HOME = generate(Order(1, 5, "DA"))[0]


def sampled_home() -> installations.Installation:
    """The demo home with the identifiers that the samples name."""
    demo = installations.load("demo")
    devices = [
        one.model_copy(update={"eui64": SAMPLED[one.role], "supplier": SUPPLIER})
        for one in demo.devices
        if one.role in SAMPLED
    ]
    return demo.model_copy(update={"ref": "sampled", "devices": tuple(devices)})


@pytest.fixture(autouse=True, scope="module")
def own_counters(served: Served) -> None:
    """Counters that nobody in front of the shared door has used."""
    served.counters[EIS] = served.counters.get(EIS, 0) + 10_000_000


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("sampled")
    with opened(Homes((sampled_home(),), ()), folder, patience=Patience(quiet_ms=60_000)) as here:
        yield here


def retargeted(here: Served, octets: bytes) -> bytes:
    """A sample as our user would send it: own identifier, our DCC, a counter of its own."""
    header = peek(octets)
    dcc = here.door.world.trust.dsp
    target = header.request_id.target if header.command_variant != 8 else dcc
    identity = here.identity(Eui64.parse(SUPPLIER), target)
    return resigned(octets, here.key(Eui64.parse(SUPPLIER)), RequestID=str(identity))


def outcome(here: Served, octets: bytes) -> tuple[str, bytes]:
    """What became of a request: the code of its last answer, and that answer."""
    sent = here.way("http").send(octets)
    if sent.refusal is not None:
        return sent.refusal["code"], b""
    here.settle()
    assert here.door.broken is None, here.door.broken
    document = sent.document
    if sent.id is not None:
        found = here.door.exchange.answer(sent.id)
        if found is None:
            return "later", b""
        document = found.document
    assert document is not None
    return code_of(read_response(document)), document


@needs_duis
def test_every_sample_is_answered_validly_or_refused_by_the_code_of_the_table(
    sampled: Served,
) -> None:
    rows, transforms = load_duis_services(), load_transforms()
    counted: Counter[str] = Counter()
    paths = sorted((DUIS_DIR / "requests").glob("*.XML"), key=lambda path: (_ends(path), path.name))
    for path in paths:
        octets = retargeted(sampled, path.read_bytes())
        asked = read_request(octets)
        code, document = outcome(sampled, octets)
        row = rows[asked.header.variant]
        if document:
            assert is_valid(document), path.name
        if row.smets2 not in PLAYED:
            assert code == "E100", (path.name, code)
        elif row.service in transforms and asked.header.command_variant in {1, 4}:
            assert code in {"I0", "E11"}, (path.name, code)
            known = SAMPLED_TYPES.get(asked.request_id.target)
            has = known is not None and is_made(row.service, known)
            has |= any(known in one.devices for one in transforms[row.service])
            assert (code != "E11") == has, (path.name, code)
        counted[code] += 1
    assert sum(counted.values()) == 131
    assert dict(counted) == EXPECTED


#: What becomes of the 131 samples at a SMETS2+ home of ours, by code. E19: samples name devices
#: that are not in it. E100: six are about what this DSP keeps nothing of, two restore a log, one
#: is a local command. E062301: another meter point than the home's (three, 6.23); E062101: the
#: GPF's place is its supplier's, not the DCC's (6.21); E2: a supplier asks for an operator's place.
EXPECTED = {
    "I0": 106,
    "I99": 2,
    "E2": 1,
    "E19": 6,
    "E100": 9,
    "E062101": 1,
    "E062301": 3,
    "E110105": 1,
    "E110405": 1,
    "E120204": 1,
}


#: Samples that take a place in a device, or the device, away that others are about: last, so.
LAST = ("CS02bACB", "CS02bSupplierBySupplierHandover", "CCS01", "CCS02", "8.3", "8.4")


def _ends(path: Path) -> int:
    """Where among the last ones a sample comes; 0 for all others."""
    return next((at for at, name in enumerate(LAST, 1) if path.name.startswith(name)), 0)


SAMPLED_TYPES = {Eui64.parse(text): kind for kind, text in SAMPLED.items()}


def test_the_table_agrees_with_that_of_smets1_services_and_with_the_transforms() -> None:
    rows, smets1, transforms = load_duis_services(), load_smets1_services(), load_transforms()
    assert len(rows) == 129
    for name, row in rows.items():
        assert row.body == getattr(smets1.get(name), "body", row.body)
        if name in smets1:
            assert row.smets1 in PLAYED, name
        if row.smets1 in PLAYED and name not in {"5.1", "5.2", "5.3", "8.3"}:
            assert name in smets1, name
        own = {"11.1", "11.2", "11.3", "11.4"} | {"5.1", "5.2", "5.3", "8.2", "8.3", "8.4", "12.2"}
        made = any(is_made(name, kind) for kind in DeviceType)
        assert (row.smets2 in PLAYED) == (made or name in transforms or name in own), name
        assert not (row.critical and name in transforms), name


@pytest.mark.parametrize("service", ["7.1", "7.2", "7.3"])
def test_a_pre_command_of_the_table_is_signed_sent_and_answered_by_the_meter(
    served: Served, service: str
) -> None:
    bodies: dict[str, RequestBody] = {
        "7.1": smets1_bodies.EnableSupply(),
        "7.2": smets1_bodies.DisableSupply(),
        "7.3": smets1_bodies.ArmSupply(),
    }
    body = bodies[service]
    identity = served.identity(target=ESME)
    code, document = outcome(served, served.signed(body, identity))
    assert code == "I0"
    message = read_response(document).body
    assert isinstance(message, ResponseMessage)
    assert isinstance(message.content, PreCommand)
    env = envelope.decode(message.content.gbcs_payload)
    command = SignedPreCommand(envelope.encode(sign(env, KeyRing(served.keys))))
    asked = ServiceRequest(RequestHeader(identity, 5, service, service), command)
    code, answer = outcome(served, write_request(asked, served.key()))
    assert code == "I0"
    assert is_gbcs(answer)


def is_gbcs(document: bytes) -> bool:
    return b"GBCSPayload" in document


@pytest.mark.parametrize("kind", [DeviceType.ESME, DeviceType.GSME])
def test_reads_of_the_table_come_back_from_both_meters(served: Served, kind: DeviceType) -> None:
    target = ESME if kind is DeviceType.ESME else GSME
    for name, rows in load_transforms().items():
        if not any(kind in row.devices for row in rows) or load_duis_services()[name].critical:
            continue
        for row in [one for one in rows if kind in one.devices]:
            code, document = outcome(
                served, served.signed(read_of(row), served.identity(target=target))
            )
            assert (code, is_gbcs(document)) == ("I0", True), (name, row.asks, code)


READS: dict[str, RequestBody] = {
    "4.1.1": smets1_bodies.ReadInstantaneousImportRegisters(),
    "4.2": smets1_bodies.ReadInstantaneousExportRegisters(),
    "4.18": smets1_bodies.ReadMeterBalance(),
    "7.4": smets1_bodies.ReadSupplyStatus(),
}


def other(service: str, inner: str = "") -> OtherBody:
    row = load_duis_services()[service]
    octets = f'<sr:{row.body} xmlns:sr="{NAMESPACE}">{inner}</sr:{row.body}>'.encode()
    return OtherBody(service, row.body, octets)


DAY = smets1_bodies.LogPeriod(
    from_datetime(datetime(2023, 1, 1, tzinfo=UTC)), from_datetime(datetime(2023, 1, 2, tzinfo=UTC))
)
PERIOD = (
    "<sr:ReadLogPeriod><sr:StartDateTime>2023-01-01T00:00:00Z</sr:StartDateTime>"
    "<sr:EndDateTime>2023-01-02T00:00:00Z</sr:EndDateTime></sr:ReadLogPeriod>"
)


def read_of(row: Transform) -> RequestBody:
    """The request of a row of the table."""
    if row.service == "6.13":
        return smets1_bodies.ReadEventOrSecurityLog(DAY, smets1_bodies.LogName(row.asks))
    if row.service == "4.8.1":
        return smets1_bodies.ReadActiveImportProfileData(DAY)
    word = f"<sr:ESMEEventLogType>{row.asks}</sr:ESMEEventLogType>" if row.asks else ""
    period = PERIOD if any(part in row.content for part in ("log ", "range ", "{")) else ""
    return READS.get(row.service) or other(row.service, word + period)


@pytest.mark.parametrize(
    ("body", "to_dcc", "code"),
    [
        (other("4.10"), False, "E100"),
        (other("6.27"), False, "E100"),
        (other("8.14.1"), True, "E100"),
        (other("4.1.4"), False, "E11"),
        (ReadSchedule(ScheduleIdentity(999)), True, "E100"),
        (DecommissionDevice(Eui64.parse("02-53-42-00-00-77-00-00")), True, "E19"),
    ],
)
def test_what_is_out_of_reach_is_refused_by_its_code(
    served: Served, body: RequestBody, to_dcc: bool, code: str
) -> None:
    identity = served.identity(target=None if to_dcc else ESME)
    assert outcome(served, served.signed(body, identity))[0] == code


def daily(served: Served, target: Eui64, command: ScheduledRead | ScheduledLog) -> CreateSchedule:
    tomorrow = to_datetime(served.door.intake.now()).date() + timedelta(days=1)
    variant = {"DSPReadActiveImportProfileData": "4.8.1"}.get(command.element, "4.2")
    service = ".".join(variant.split(".")[:2])
    return CreateSchedule(Frequency.DAILY, tomorrow, service, variant, target, command, time=3600)


EXPORT = ScheduledRead("DSPReadInstantaneousExportRegisters")
PROFILE = ScheduledLog("DSPReadActiveImportProfileData", -1, 0, 0, 0)


def test_a_schedule_is_made_shown_run_and_deleted(served: Served) -> None:
    body = daily(served, ESME, EXPORT)
    before = len(served.door.exchange.alerts(0, most=10_000))
    code, document = outcome(served, served.signed(body))
    assert code == "I0"
    number = content(document, ScheduleCreated).schedule
    found = [
        read_response(one.document)
        for one in served.door.exchange.alerts(0, most=10_000)[before:]
        if b"DSPScheduledMessage" in one.document
    ]
    assert found, "the meter was not asked"
    _code, document = outcome(served, served.signed(ReadSchedule(SchedulesOf(ESME))))
    assert content(document, Schedules).schedules[-1].details == body
    assert outcome(served, served.signed(DeleteSchedule(ScheduleIdentity(number))))[0] == "I0"
    assert outcome(served, served.signed(ReadSchedule(ScheduleIdentity(number))))[0] == "E100"
    message = found[0].body
    assert isinstance(message, ResponseMessage)
    assert isinstance(message.content, ScheduledMessage)
    assert message.content.schedule == number
    at = to_datetime(found[0].header.at)
    assert (at.hour, at.minute) >= (1, 0)


def content(document: bytes, kind: type[T]) -> T:
    message = read_response(document).body
    assert isinstance(message, ResponseMessage)
    assert isinstance(message.content, kind)
    return message.content


@needs_duis
def test_a_schedule_of_a_smets1_meter_goes_through_the_s1sp_and_survives_a_restart(
    tmp_path: Path,
) -> None:
    esme = device(SMETS1_HOME, DeviceType.ESME)
    user = Eui64.parse(SMETS1_HOME.of(DeviceType.ESME)[0].supplier)
    state = tmp_path / "door.state"
    with opened(Homes((), (SMETS1_HOME,)), tmp_path, state) as here:
        body = daily(here, esme, PROFILE)
        octets = here.signed(body, here.identity(user), here.key(user))
        assert outcome(here, octets)[0] == "I0"
        came = scheduled(here)
        assert came
        assert all(is_valid(one) for one in came)
    with opened(Homes((), (SMETS1_HOME,)), tmp_path, state) as here:
        here.counters[user] = 100
        octets = here.signed(ReadInventory(esme), here.identity(user), here.key(user))
        assert outcome(here, octets)[0] == "I0"
        assert here.door.world.dsp.schedules[1].body == body
        code, _document = outcome(
            here,
            here.signed(DeleteSchedule(SchedulesOf(esme)), here.identity(user), here.key(user)),
        )
        assert code == "I0"
        asyncio.run(here.door.rest())


def scheduled(here: Served) -> list[bytes]:
    """The answers of SMETS1 devices to what a schedule asked."""
    found = []
    for one in here.door.exchange.alerts(0):
        message = read_response(one.document).body
        if isinstance(message, Smets1ResponseMessage) and message.schedule is not None:
            found.append(one.document)
    return found


def test_a_service_no_smets1_device_has_is_refused_for_a_smets1_device(served: Served) -> None:
    home = served.door.options.homes.smets1[0]
    target, user = device(home, DeviceType.ESME), Eui64.parse(home.devices[0].supplier)
    identity = RequestId(user, target, served.identity(user).counter)
    octets = served.signed(other("4.15"), identity, served.key(user))
    assert outcome(served, octets)[0] == "E11"


NEW_KINDS: dict[str, tuple[RequestBody, bool]] = {
    "passed by": (other("4.16"), False),
    "critical": (smets1_bodies.ArmSupply(), False),
    "schedule": (ReadSchedule(SchedulesOf(ESME)), True),
    "decommission": (DecommissionDevice(Eui64.parse("02-53-42-00-00-77-00-00")), True),
}


@pytest.mark.parametrize("name", NEW_KINDS)
def test_a_new_kind_of_request_is_refused_unsigned_altered_replayed_and_malformed(
    served: Served, name: str
) -> None:
    body, to_dcc = NEW_KINDS[name]
    made = [
        served.signed(body, served.identity(target=None if to_dcc else ESME)) for _time in range(2)
    ]
    first, second = made
    unsigned = write_request(read_request(first))
    assert outcome(served, unsigned)[0] == "missing-signature"
    counter = str(read_request(second).request_id.counter).encode()
    altered = second.replace(b":" + counter + b"<", b":9" + counter + b"<", 1)
    assert outcome(served, altered)[0] == "bad-signature"
    assert outcome(served, resigned(first, strange_key(EIS)))[0] == "unknown-certificate"
    spoilt = resigned(first, served.key(), CommandVariant="3" if to_dcc else "8")
    assert outcome(served, spoilt)[0] == "wrong-command-variant"
    assert outcome(served, second)[0] not in {"missing-signature", "bad-signature"}
    assert outcome(served, second)[0] == "replayed-counter"


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="xmlsec1 is not installed")
def test_answers_of_every_kind_verify_with_xmlsec1(served: Served, tmp_path: Path) -> None:
    store = served.door.world.public_keys()
    entry = store.find(served.door.world.trust.dsp, KeyUsage.XML)
    assert entry is not None
    assert entry.certificate is not None
    certificate = tmp_path / "dsp.pem"
    certificate.write_bytes(
        x509.load_der_x509_certificate(entry.certificate).public_bytes(Encoding.PEM)
    )
    documents = [
        outcome(served, served.signed(ReadInventory(ESME)))[1],
        outcome(served, served.signed(other("4.16"), served.identity(target=ESME)))[1],
        outcome(served, served.signed(other("4.10"), served.identity(target=ESME)))[1],
        outcome(served, served.signed(smets1_bodies.ArmSupply(), served.identity(target=ESME)))[1],
        outcome(served, served.signed(daily(served, ESME, EXPORT)))[1],
    ]
    for number, octets in enumerate(documents):
        assert verifies(certificate, octets, tmp_path / f"{number}.xml")
    spoilt = documents[0].replace(b"I0<", b"I1<", 1)
    assert not verifies(certificate, spoilt, tmp_path / "spoilt.xml")


def verifies(certificate: Path, octets: bytes, path: Path) -> bool:
    """Have a program of others check an enveloped signature."""
    path.write_bytes(octets)
    command = ["xmlsec1", "--verify", "--pubkey-cert-pem", str(certificate), str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_users_signing_key_is_there(served: Served) -> None:
    assert served.keys.find(EIS, KeyUsage.DS) is not None
