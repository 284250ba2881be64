import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from emulator.codecs.dlms import apdu_action, apdu_get, apdu_set
from emulator.codecs.dlms.apdu_action import ActionRequest, MethodOutcome
from emulator.codecs.dlms.apdu_get import GetRequest
from emulator.codecs.dlms.apdu_parts import ActionResult, Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.apdu_set import SetRequest
from emulator.codecs.dlms.axdr import Data, Tag, octets
from emulator.codecs.dlms.hdlc_link import LinkSettings
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Credentials, Silence, Unanswered
from hil.drivers.serial_meter import COUNTER, EUI64, SERIAL_NUMBER, SerialMeter
from hil.errors import PortLostError
from hil.guard_port import MeterIdentity, Unguarded
from hil.reopen import Cancelled, Reopener
from hil.serial_port import SerialPort
from hil.verbs import STRICTEST, Verb
from tests.harness.dlms.peer import HdlcPeer, Peer, WrapperPeer, draws
from tests.harness.dlms.scripted import CLOCK, METHOD, NAME, management, public, reader_lls
from tests.hil.drivers.live_meter import (
    IDENTITY,
    WAYS,
    RefusedError,
    Rig,
    TestGuard,
    rig,
    server,
    settings_of,
)
from tests.hil.lines import SOON_S, listening

NOWHERE = Attribute(Descriptor(1, bytes((9, 9, 9, 9, 9, 255)), 2))
MESSAGE = Attribute(Descriptor(1, bytes((0, 2, 96, 13, 1, 255)), 2))
KEY_TRANSFER = Descriptor(64, bytes((0, 0, 43, 0, 0, 255)), 2)
IMAGE_BLOCK = Descriptor(18, bytes((0, 0, 44, 0, 0, 255)), 2)
HELLO = octets(b"hello")
QUICK = LineSettings(link=LinkSettings(response_timeout_ms=100, retries=0, reply_timeout_ms=300))


def _read(attribute: Attribute) -> bytes:
    return apdu_get.encode_request(GetRequest(0xC1, attribute))


# -- every verb, every way ---------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_every_verb_works_every_way(way: str) -> None:
    with rig(way) as bench:
        meter, spoken = bench.meter, bench.server
        spoken.values[MESSAGE.descriptor] = octets(b"")
        signed = meter.sign_on()
        assert signed.answered is way.endswith("optical")
        if signed.answered:
            assert (signed.manufacturer, signed.baud, signed.mode) == ("SBC", 9600, "E")
        else:
            assert signed.causes
        assert meter.get([NAME]) == Unanswered(
            Silence.NOT_ASSOCIATED, "nobody is associated on this line: associate first"
        )
        association = meter.associate(public())
        assert association.accepted
        found = meter.get([NAME, NOWHERE])
        assert found == (octets(b"SBC0000000000001"), DataAccessResult.OBJECT_UNDEFINED)
        assert meter.has_taken([(MESSAGE, HELLO)], None) is False
        assert meter.set([(MESSAGE, HELLO)]) == (DataAccessResult.SUCCESS,)
        assert meter.has_taken([(MESSAGE, HELLO)], None) is True
        assert meter.action(METHOD, octets(b"x")) == MethodOutcome(ActionResult.SUCCESS)
        assert spoken.invoked == [(METHOD, octets(b"x"))]
        answer = meter.exchange(_read(NAME))
        assert isinstance(answer, bytes)
        assert apdu_get.decode_response(answer).invoke == 0xC1
        meter.release()
        assert not spoken.associated
        assert isinstance(meter.get([NAME]), Unanswered)
        meter.release()
    assert bench.tap.kinds[0] == "open"
    assert bench.tap.kinds[-1] == "close"


def test_a_read_out_is_given_where_dlms_is_not_asked_for() -> None:
    with rig("pty-optical") as bench:
        report = bench.meter.sign_on(read_out=True)
        assert report.answered
        assert report.read_out is not None
        assert "1.8.0(000123.4*kWh)" in report.read_out
        assert bench.server.associations == 0


def test_the_line_changes_its_speed_where_mode_e_says_so() -> None:
    with rig("pty-optical") as bench:
        assert bench.meter.associate(public()).accepted
    speeds = [fields["baud"] for kind, fields in bench.tap.events if kind == "speed"]
    assert speeds == [9600]  # opened at 300
    sent = b"".join(chunk for way, chunk in bench.tap.chunks if way == "in")
    assert sent.startswith(b"\xaf\x3f\x21\x8d\x0a")  # "/?!" CR LF with even parity in bit 7


def test_a_ciphered_association_proves_itself_and_reads() -> None:
    with rig("pty-hdlc") as bench:
        assert bench.meter.associate(management()).accepted
        assert bench.meter.get([NAME]) == (octets(b"SBC0000000000001"),)
        assert bench.meter.associate(management()).accepted  # counters go on rising
        assert bench.meter.get([NAME]) == (octets(b"SBC0000000000001"),)


def test_a_wrong_password_is_an_answer() -> None:
    with rig("pty-hdlc") as bench:
        refused = bench.meter.associate(reader_lls(b"wrong..."))
        assert (refused.accepted, refused.diagnostic) == (False, 13)
        assert bench.meter.associate(reader_lls()).accepted


def test_a_dead_line_is_an_answer_with_causes() -> None:
    settings = replace(settings_of("pty-optical"), sign_on_retries=0)
    with rig("pty-optical", settings=settings) as bench:
        assert bench.plugged is not None
        bench.plugged.mute = True
        report = bench.meter.sign_on()
        assert not report.answered
        assert any("no optical port" in cause for cause in report.causes)


def test_a_meter_that_falls_silent_is_an_answer() -> None:
    with rig("pty-hdlc", settings=QUICK) as bench:
        assert bench.meter.associate(public()).accepted
        assert bench.plugged is not None
        bench.plugged.mute = True
        found = bench.meter.get([NAME])
        assert isinstance(found, Unanswered)
        assert found.why is Silence.NO_ANSWER


# -- reading back ------------------------------------------------------------------------------


def test_what_cannot_be_told_by_reading_back_is_not_told() -> None:
    with rig("pty-hdlc") as bench:
        meter = bench.meter
        assert meter.has_taken([(NAME, HELLO)], None) is None  # nobody is associated
        meter.associate(public())
        assert meter.has_taken([], METHOD) is None
        assert meter.has_taken([], None) is None
        assert meter.has_taken([(NOWHERE, HELLO)], None) is None
        assert meter.has_taken([(CLOCK, octets(bytes(12)))], None) is None
        name = octets(b"SBC0000000000001")
        assert meter.has_taken([(NAME, name)], None) is True
        assert meter.has_taken([(NAME, name), (NAME, HELLO)], None) is False


# -- the guard ---------------------------------------------------------------------------------


@pytest.fixture
def guarded() -> Iterator[Rig]:
    with rig("pty-hdlc", guard=TestGuard(frozenset(Verb))) as bench:
        bench.server.values[MESSAGE.descriptor] = octets(b"")
        assert bench.meter.associate(public()).accepted
        yield bench


def _asked(bench: Rig) -> list[tuple[Verb, Descriptor | None, MeterIdentity]]:
    assert isinstance(bench.guard, TestGuard)
    return bench.guard.asked


CHANGES: list[tuple[str, Verb, Descriptor | None, Callable[[Rig], object]]] = [
    ("set", Verb.WRITE, MESSAGE.descriptor, lambda b: b.meter.set([(MESSAGE, HELLO)])),
    ("clock", Verb.CLOCK, CLOCK.descriptor, lambda b: b.meter.set([(CLOCK, HELLO)])),
    ("unknown", STRICTEST, NOWHERE.descriptor, lambda b: b.meter.set([(NOWHERE, HELLO)])),
    ("switch", Verb.SUPPLY, METHOD, lambda b: b.meter.action(METHOD)),
    ("keys", Verb.KEYS, KEY_TRANSFER, lambda b: b.meter.action(KEY_TRANSFER, HELLO)),
    ("image", Verb.FIRMWARE, IMAGE_BLOCK, lambda b: b.meter.action(IMAGE_BLOCK, HELLO)),
    (
        "raw-set",
        Verb.WRITE,
        MESSAGE.descriptor,
        lambda b: b.meter.exchange(apdu_set.encode_request(SetRequest(0xC1, MESSAGE, HELLO))),
    ),
    (
        "raw-action",
        Verb.SUPPLY,
        METHOD,
        lambda b: b.meter.exchange(apdu_action.encode_request(ActionRequest(0xC1, METHOD))),
    ),
    ("raw-ciphered", STRICTEST, None, lambda b: b.meter.exchange(b"\xc9\x05\x30\0\0\0\1")),
    ("raw-nonsense", STRICTEST, None, lambda b: b.meter.exchange(b"\xff\x00")),
    ("raw-nothing", STRICTEST, None, lambda b: b.meter.exchange(b"")),
    ("raw-cut", STRICTEST, None, lambda b: b.meter.exchange(_read(NAME)[:-1])),
]


@pytest.mark.parametrize(
    ("verb", "target", "change"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_a_change_that_the_guard_refuses_is_not_sent(
    guarded: Rig, verb: Verb, target: Descriptor | None, change: Callable[[Rig], object]
) -> None:
    with pytest.raises(RefusedError):
        change(guarded)
    assert _asked(guarded) == [(verb, target, IDENTITY)]
    assert guarded.server.written == []
    assert guarded.server.invoked == []
    tags = {request[0] for request in guarded.server.requests}
    assert tags == {0x60, apdu_get.REQUEST_TAG}  # the association, and who the meter is


READS: list[tuple[str, Callable[[Rig], object]]] = [
    ("get", lambda b: b.meter.get([NAME])),
    ("sign-on", lambda b: b.meter.sign_on()),
    ("associate", lambda b: b.meter.associate(public())),
    ("raw-get", lambda b: b.meter.exchange(_read(NAME))),
    ("has-taken", lambda b: b.meter.has_taken([(NAME, HELLO)], None)),
    ("release", lambda b: b.meter.release()),
]


@pytest.mark.parametrize("read", [row[1] for row in READS], ids=[row[0] for row in READS])
def test_reading_asks_nobody(guarded: Rig, read: Callable[[Rig], object]) -> None:
    read(guarded)
    assert _asked(guarded) == []


def test_all_of_a_list_is_asked_about_before_any_of_it_is_written() -> None:
    guard = TestGuard(frozenset({Verb.CLOCK}))
    with rig("pty-hdlc", guard=guard) as bench:
        bench.server.values[MESSAGE.descriptor] = octets(b"")
        bench.meter.associate(public())
        with pytest.raises(RefusedError):
            bench.meter.set([(MESSAGE, HELLO), (CLOCK, HELLO)])
        assert [verb for verb, _, _ in guard.asked] == [Verb.WRITE, Verb.CLOCK]
        assert bench.server.written == []


def test_who_the_meter_is_is_read_once_in_each_association() -> None:
    guard = TestGuard()
    with rig("pty-hdlc", guard=guard) as bench:
        bench.server.values[MESSAGE.descriptor] = octets(b"")
        meter = bench.meter

        def reads() -> int:
            gets = [one for one in bench.server.requests if one[0] == apdu_get.REQUEST_TAG]
            return sum(EUI64.descriptor.obis in one for one in gets)

        meter.associate(public())
        meter.set([(MESSAGE, HELLO)])
        meter.action(METHOD)
        assert reads() == 1
        meter.associate(public())
        other = octets(bytes(8))
        bench.server.values[EUI64.descriptor] = other
        meter.set([(MESSAGE, HELLO)])
        assert reads() == 2
        assert guard.asked[-1][2].eui64 is not None
        assert guard.asked[-1][2].eui64.octets == bytes(8)


@pytest.mark.parametrize(
    "value",
    [
        DataAccessResult.READ_WRITE_DENIED,
        octets(bytes(7)),
        octets(bytes(9)),
        Data(Tag.UINT32, 5),
        Data(Tag.UTF8, b"12345678"),
    ],
)
def test_an_identity_that_cannot_be_read_is_unknown(value: Data | DataAccessResult) -> None:
    guard = TestGuard()
    application = server()
    application.values[EUI64.descriptor] = value
    application.values[SERIAL_NUMBER.descriptor] = DataAccessResult.OBJECT_UNDEFINED
    with rig("pty-hdlc", guard=guard, application=application) as bench:
        bench.meter.associate(public())
        bench.meter.action(METHOD)
        assert guard.asked[0][2] == MeterIdentity()
        assert not guard.asked[0][2].known
        application.values[EUI64.descriptor] = octets(IDENTITY.eui64.octets)  # type: ignore[union-attr]  # it is known
        bench.meter.action(METHOD)
        assert guard.asked[1][2].known  # asked again, because it was not known


def test_without_an_association_the_identity_is_unknown() -> None:
    guard = TestGuard(frozenset(Verb))
    with rig("pty-hdlc", guard=guard) as bench:
        with pytest.raises(RefusedError):
            bench.meter.action(METHOD)
        assert guard.asked[0][2] == MeterIdentity()


def test_a_device_of_our_own_is_not_asked_who_it_is() -> None:
    with rig("pty-hdlc") as bench:
        bench.meter.associate(public())
        bench.meter.action(METHOD)
        assert [request[0] for request in bench.server.requests] == [0x60, 0xC3]


# -- invocation counters -----------------------------------------------------------------------


def test_a_real_meter_is_asked_how_far_the_counter_has_come() -> None:
    application = server()
    application.values[COUNTER.descriptor] = Data(Tag.UINT32, 4000)
    with rig("pty-hdlc", guard=TestGuard(), application=application) as bench:
        assert bench.meter.associate(management()).accepted
        assert application.associations == 2  # the public client first
        assert bench.meter.associate(management()).accepted
        assert application.associations == 3
        assert bench.meter.get([NAME]) == (octets(b"SBC0000000000001"),)
    sent = b"".join(chunk for way, chunk in bench.tap.chunks if way == "in")
    assert (4001).to_bytes(4, "big") in sent


def test_a_meter_that_does_not_tell_its_counter_is_associated_with_all_the_same() -> None:
    application = server()
    with rig("pty-hdlc", guard=TestGuard(), application=application) as bench:
        assert bench.meter.associate(management()).accepted
        assert application.associations == 2


def test_a_device_of_our_own_is_not_asked_for_its_counter() -> None:
    with rig("pty-hdlc") as bench:
        assert bench.meter.associate(management()).accepted
        assert bench.server.associations == 1


def test_signature_keys_are_asked_for_by_credentials() -> None:
    asked: list[Credentials] = []

    def signing_of(credentials: Credentials) -> None:
        asked.append(credentials)

    with rig("pty-hdlc") as bench:
        bench.meter.signing_of = signing_of
        bench.meter.associate(public())
    assert asked == [public()]


# -- a port that goes away ---------------------------------------------------------------------


@pytest.mark.parametrize("way", ["pty-hdlc", "pty-optical"])
def test_after_an_unplugged_port_the_next_verb_opens_it_again(way: str) -> None:
    settings = replace(settings_of(way), link=QUICK.link)
    with rig(way, settings=settings) as bench:
        meter, plugged = bench.meter, bench.plugged
        assert plugged is not None
        assert meter.associate(public()).accepted
        plugged.unplug()
        with pytest.raises(PortLostError):
            meter.get([NAME])
        plugged.plug()
        for _ in range(2):
            gone = meter.get([NAME])
            assert isinstance(gone, Unanswered)
            assert gone.why is Silence.LINK_LOST
            assert "associate again" in gone.detail
        assert bench.said == ["the meter: open"]
        for verb in (
            lambda: meter.set([(NAME, HELLO)]),
            lambda: meter.action(METHOD),
            lambda: meter.exchange(_read(NAME)),
        ):
            answer = verb()
            assert isinstance(answer, Unanswered)
            assert answer.why is Silence.LINK_LOST
        assert bench.server.written == []
        assert meter.associate(public()).accepted
        assert meter.get([NAME]) == (octets(b"SBC0000000000001"),)


def test_unplugging_in_the_middle_of_a_verb_ends_it_long_before_its_time_out() -> None:
    with rig("pty-hdlc") as bench:
        plugged = bench.plugged
        assert plugged is not None
        assert bench.meter.associate(public()).accepted
        plugged.mute = True
        pull = threading.Timer(0.1, plugged.unplug)
        pull.start()
        begun = time.monotonic()
        with pytest.raises(PortLostError):
            bench.meter.get([NAME])
        assert time.monotonic() - begun < SOON_S
        pull.join()


def test_a_port_that_stays_away_is_lost_again_and_found_later() -> None:
    with rig("pty-hdlc", reopen_s=0.05) as bench:
        plugged = bench.plugged
        assert plugged is not None
        plugged.unplug()
        with pytest.raises(PortLostError):
            bench.meter.associate(public())
        with pytest.raises(PortLostError, match="did not come back"):
            bench.meter.associate(public())
        assert any("next try" in line for line in bench.said)
        plugged.plug()
        assert bench.meter.associate(public()).accepted


def test_releasing_a_lost_port_waits_for_nothing() -> None:
    with rig("pty-hdlc", reopen_s=2 * SOON_S) as bench:
        assert bench.plugged is not None
        bench.plugged.unplug()
        with pytest.raises(PortLostError):
            bench.meter.associate(public())
        begun = time.monotonic()
        bench.meter.release()
        assert time.monotonic() - begun < SOON_S


def test_noise_between_two_verbs_disturbs_neither() -> None:
    with rig("pty-hdlc") as bench:
        assert bench.plugged is not None
        assert bench.meter.associate(public()).accepted
        bench.plugged.pty.say_there(b"\x7e\xa0\x1c\x21noise")
        assert bench.meter.get([NAME]) == (octets(b"SBC0000000000001"),)


# -- a peer that hangs up ------------------------------------------------------------------------


class Moody:
    """A meter on TCP that hangs up when told to, and takes new connections or does not."""

    def __init__(self, framing: Framing) -> None:
        self.server = server()
        self.framing = framing
        self.hang_up = False
        self.drops_requests = False
        self.connections = 0

    def serve(self, connection: socket.socket) -> None:
        self.connections += 1
        peer: Peer = HdlcPeer(self.server)
        if self.framing is Framing.WRAPPER:
            peer = WrapperPeer(self.server)
        while not self.hang_up:
            if not select.select([connection], [], [], 0.01)[0]:
                continue
            heard = connection.recv(4096)
            if not heard or self.drops_requests:
                return
            for answer in peer.hear(heard, time.monotonic_ns() // 1_000_000):
                connection.sendall(answer)
        self.hang_up = False


@pytest.fixture(params=[Framing.HDLC, Framing.WRAPPER])
def moody(request: pytest.FixtureRequest) -> Moody:
    return Moody(request.param)


def _meter_on(number: int, framing: Framing) -> SerialMeter:
    scheme = "wrapper" if framing is Framing.WRAPPER else "tcp"

    def opener() -> SerialPort:
        return SerialPort.open(f"{scheme}://127.0.0.1:{number}")

    return SerialMeter(
        opener(),
        LineSettings(framing=framing),
        guard=Unguarded(),
        reopener=Reopener("the meter", opener, 0.1, lambda _line: None),
        draw=draws(),
    )


def _wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON_S
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    assert condition()


def test_a_meter_that_hangs_up_between_verbs_has_dropped_the_link(moody: Moody) -> None:
    with listening(moody.serve) as number:
        meter = _meter_on(number, moody.framing)
        assert meter.associate(public()).accepted
        moody.hang_up = True
        _wait_for(lambda: not moody.hang_up)
        gone = meter.get([NAME])
        assert isinstance(gone, Unanswered)
        assert gone.why is Silence.LINK_LOST
        assert meter.associate(public()).accepted
        assert meter.get([NAME]) == (octets(b"SBC0000000000001"),)
        assert moody.connections == 2
        meter.close()


def test_a_meter_that_hung_up_takes_an_association_at_the_first_try(moody: Moody) -> None:
    with listening(moody.serve) as number:
        meter = _meter_on(number, moody.framing)
        assert meter.associate(public()).accepted
        moody.hang_up = True
        _wait_for(lambda: not moody.hang_up)
        assert meter.associate(public()).accepted
        meter.close()


def test_a_meter_that_hangs_up_in_the_middle_of_a_verb_has_dropped_the_link(moody: Moody) -> None:
    with listening(moody.serve) as number:
        meter = _meter_on(number, moody.framing)
        assert meter.associate(public()).accepted
        moody.drops_requests = True
        gone = meter.get([NAME])
        assert isinstance(gone, Unanswered)
        assert gone.why is Silence.LINK_LOST
        moody.drops_requests = False
        assert isinstance(meter.get([NAME]), Unanswered)
        assert meter.associate(public()).accepted
        assert meter.get([NAME]) == (octets(b"SBC0000000000001"),)
        meter.close()


def test_a_peer_that_hangs_up_and_takes_no_one_is_a_lost_port(moody: Moody) -> None:
    with listening(moody.serve) as number:
        meter = _meter_on(number, moody.framing)
        assert meter.associate(public()).accepted
        moody.hang_up = True
        _wait_for(lambda: not moody.hang_up)
    with pytest.raises(PortLostError, match="did not come back"):
        meter.get([NAME])
    with pytest.raises(PortLostError, match="did not come back"):
        meter.associate(public())


def test_a_peer_that_dies_in_the_middle_of_a_verb_is_a_lost_port(moody: Moody) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        meter = _meter_on(listener.getsockname()[1], moody.framing)
        connection, _ = listener.accept()
    dying = threading.Timer(0.1, connection.close)
    dying.start()
    with pytest.raises(PortLostError, match="closed the connection"):
        meter.associate(public())
    dying.join()
    meter.close()


# -- stopping ----------------------------------------------------------------------------------


def test_a_verb_can_be_stopped_from_another_thread() -> None:
    with rig("pty-hdlc") as bench:
        meter = bench.meter
        assert bench.plugged is not None
        assert meter.associate(public()).accepted
        bench.plugged.mute = True
        stopper = threading.Timer(0.1, meter.stop)
        stopper.start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            meter.get([NAME])
        assert time.monotonic() - begun < SOON_S
        stopper.join()
        meter.resume()
        bench.plugged.mute = False
        gone = meter.get([NAME])
        assert isinstance(gone, Unanswered)
        assert gone.why is Silence.LINK_LOST
        assert meter.associate(public()).accepted
        assert meter.get([NAME]) == (octets(b"SBC0000000000001"),)
