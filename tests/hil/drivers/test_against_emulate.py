"""The drivers against our own ``smetsbench emulate`` in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device_profiles.loader import load_profile
from emulator.codecs.dlms import apdu_get, apdu_set
from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_get import GetRequest
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.apdu_set import SetRequest
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Credentials, Silence, Unanswered
from hil.drivers.serial_meter import EUI64, SERIAL_NUMBER, SerialMeter
from hil.errors import PortLostError
from hil.reopen import Reopener
from hil.serial_port import SerialPort
from hil.verbs import Verb
from tests.given import ROOT
from tests.harness.dlms.peer import draws
from tests.hil.drivers.live_meter import RefusedError, TestGuard

WHO = Eui64.parse("02-53-42-03-00-00-00-07")
SEED = 7
FACTORY = factory_keys(SEED, WHO)
PUBLIC = Credentials("public", 16)
INSTALLER = Credentials("installer", 3, Mechanism.LLS, FACTORY.secrets["installer"])
MANAGEMENT = Credentials(
    "management", 1, Mechanism.HLS_GMAC, None, FACTORY.keys, FACTORY.client_title,
    form=Form.SERVICE_GLOBAL,
)  # fmt: skip
ZONE = Attribute(Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 3))
IMPORT = Attribute(Descriptor(3, bytes((1, 0, 1, 8, 0, 255)), 2))
NOWHERE = Attribute(Descriptor(1, bytes((9, 9, 9, 9, 9, 255)), 2))
SHIFT = Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 6)
FRAMINGS = {"pty": Framing.OPTICAL, "tcp": Framing.HDLC, "wrapper": Framing.WRAPPER}


def start(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-B", "-m", "harness.cli.main", "emulate", "esme",
         "--profile", "smets1", "--seed", str(SEED), "--eui64", str(WHO), *words],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
    )  # fmt: skip


def addresses(child: "subprocess.Popen[str]", count: int) -> list[str]:
    assert child.stdout is not None
    return [child.stdout.readline().strip() for _ in range(count)]


def end(child: "subprocess.Popen[str]") -> None:
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, str]]:
    """One emulated meter at three kinds of line."""
    listens = ["pty", "tcp://127.0.0.1:0", "wrapper://127.0.0.1:0"]
    child = start(*(word for listen in listens for word in ("--listen", listen)))
    yield dict(zip(FRAMINGS, addresses(child, 3), strict=True))
    end(child)


@dataclass
class Bench:
    meter: SerialMeter
    guard: TestGuard


def open_meter(url: str, framing: Framing, guard: TestGuard | None = None) -> Bench:
    dlms = load_profile("smets1").dlms
    assert dlms is not None
    size = dlms.hdlc.address_bytes
    settings = LineSettings(
        framing=framing,
        address_bytes=size,
        physical_address=None if size == 1 else dlms.hdlc.physical_address,
    )
    watch = guard or TestGuard()

    def opener() -> SerialPort:
        return SerialPort.open(url, 300 if framing is Framing.OPTICAL else 9600)

    reopener = Reopener("the meter", opener, 0.1, lambda _line: None)
    return Bench(
        SerialMeter(opener(), settings, guard=watch, reopener=reopener, draw=draws()), watch
    )


@pytest.mark.parametrize("way", list(FRAMINGS))
def test_every_verb_works_on_every_kind_of_line(places: dict[str, str], way: str) -> None:
    every_verb(places[way], FRAMINGS[way])


@pytest.mark.soak
def test_every_verb_works_behind_a_terminal_server() -> None:
    """Speeds change in real time there: each opening at 300 bit/s takes about a second."""
    child = start("--listen", "rfc2217://127.0.0.1:0")
    (url,) = addresses(child, 1)
    every_verb(url, Framing.OPTICAL)
    end(child)


def every_verb(url: str, framing: Framing) -> None:
    bench = open_meter(url, framing)
    meter = bench.meter
    report = meter.sign_on()
    assert report.answered is (framing is Framing.OPTICAL)
    if report.answered:
        assert (report.manufacturer, report.mode, report.baud) == ("SBC", "E", 9600)
    assert meter.associate(PUBLIC).accepted
    found = meter.get([EUI64, NOWHERE, IMPORT])
    assert not isinstance(found, Unanswered)
    assert found[0] == Data(Tag.OCTETS, WHO.octets)
    assert found[1] is DataAccessResult.OBJECT_UNDEFINED
    assert isinstance(found[2], Data)
    (refused,) = meter.set([(ZONE, Data(Tag.INT16, 60))])  # type: ignore[misc]  # not unanswered
    assert refused is DataAccessResult.READ_WRITE_DENIED

    assert meter.associate(INSTALLER).accepted
    wanted = Data(Tag.INT16, 15 * (1 + list(Framing).index(framing)))
    assert meter.has_taken([(ZONE, wanted)], None) is False
    assert meter.set([(ZONE, wanted)]) == (DataAccessResult.SUCCESS,)
    assert meter.has_taken([(ZONE, wanted)], None) is True
    outcome = meter.action(SHIFT, Data(Tag.INT16, 1))
    assert not isinstance(outcome, Unanswered)
    assert [identity.eui64 for _, _, identity in bench.guard.asked] == [WHO] * 3
    assert all(verb is Verb.CLOCK for verb, _, _ in bench.guard.asked)
    answer = meter.exchange(apdu_get.encode_request(GetRequest(0xC1, SERIAL_NUMBER)))
    assert isinstance(answer, bytes)
    assert isinstance(apdu_get.decode_response(answer), apdu_get.GetResponse)
    meter.release()
    assert isinstance(meter.get([EUI64]), Unanswered)
    meter.close()


@pytest.mark.parametrize("way", ["pty", "wrapper"])
def test_a_ciphered_client_proves_itself_and_writes(places: dict[str, str], way: str) -> None:
    bench = open_meter(places[way], FRAMINGS[way])
    associated = bench.meter.associate(MANAGEMENT)
    assert associated.accepted, associated.why
    assert bench.meter.set([(ZONE, Data(Tag.INT16, 0))]) == (DataAccessResult.SUCCESS,)
    assert bench.guard.asked[0][2].eui64 == WHO
    serial_number = bench.guard.asked[0][2].serial_number
    assert serial_number
    bench.meter.release()
    bench.meter.close()


def test_a_mode_c_read_out_comes_where_dlms_is_refused(places: dict[str, str]) -> None:
    bench = open_meter(places["pty"], Framing.OPTICAL)
    wrong = Credentials("installer", 3, Mechanism.LLS, b"99999999")
    assert not bench.meter.associate(wrong).accepted
    report = bench.meter.sign_on(read_out=True)
    assert report.answered
    assert report.read_out is not None
    assert "1.8.0" in report.read_out
    bench.meter.close()


def test_what_the_guard_refuses_does_not_reach_the_meter(places: dict[str, str]) -> None:
    bench = open_meter(places["tcp"], Framing.HDLC, TestGuard(frozenset(Verb)))
    assert bench.meter.associate(INSTALLER).accepted
    value = Data(Tag.INT16, 77)
    raw = apdu_set.encode_request(SetRequest(0xC1, ZONE, value))
    with pytest.raises(RefusedError):
        bench.meter.set([(ZONE, value)])
    with pytest.raises(RefusedError):
        bench.meter.exchange(raw)
    assert bench.meter.has_taken([(ZONE, value)], None) is False
    bench.meter.release()
    bench.meter.close()


@pytest.mark.soak
def test_an_emulator_that_is_killed_is_a_lost_port_and_comes_back(tmp_path: Path) -> None:
    link = tmp_path / "head"
    child = start("--listen", f"pty:{link}")
    addresses(child, 1)
    bench = open_meter(str(link), Framing.OPTICAL)
    assert bench.meter.associate(PUBLIC).accepted
    end(child)
    with pytest.raises(PortLostError):
        bench.meter.get([EUI64])
    link.unlink(missing_ok=True)
    child = start("--listen", f"pty:{link}")
    addresses(child, 1)
    gone = bench.meter.get([EUI64])
    assert isinstance(gone, Unanswered)
    assert gone.why is Silence.LINK_LOST
    bench.meter.close()
    end(child)
