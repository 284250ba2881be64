"""Key establishment by the NCP's commands: both curves, both ends, and everything out of order."""

from typing import Any

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import ConfigId, MfgToken, ValueId
from emulator.codecs.ezsp.protocol import VERSIONS, codec_of
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import (
    ConfigSetting,
    LibraryId,
    MfgTokenId,
    Nothing,
    Octets,
    StatusOnly,
    ValueSetting,
)
from emulator.codecs.ezsp.values_security import (
    CalculateSmacs,
    LinkKeyImport,
    PreinstalledCbkeData,
    StoreLinkKey,
)
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.crypto.binary_signature import verifies
from emulator.crypto.cbke import EphemeralKey, agree
from emulator.crypto.ecqv import public_key
from emulator.ncp.identity import CBKE_LIBRARIES
from tests.emulator.ncp.home_given import told
from tests.emulator.ncp.hub_given import (
    INSTALL_KEY,
    a_joiner,
    credentials,
    joined_hub,
)
from tests.emulator.ncp.ncp_given import DONGLE, FORM, HUB, SECURITY, Desk

S163, S283 = KeySuite.CBKE_163, KeySuite.CBKE_283
GENERATE = {S163: Frame.GENERATE_CBKE_KEYS, S283: Frame.GENERATE_CBKE_KEYS_283K1}
GENERATED = {
    S163: Frame.GENERATE_CBKE_KEYS_HANDLER,
    S283: Frame.GENERATE_CBKE_KEYS_HANDLER_283K1,
}
CALCULATE = {S163: Frame.CALCULATE_SMACS, S283: Frame.CALCULATE_SMACS_283K1}
CALCULATED = {S163: Frame.CALCULATE_SMACS_HANDLER, S283: Frame.CALCULATE_SMACS_HANDLER_283K1}
CLEAR = {
    S163: Frame.CLEAR_TEMPORARY_DATA_MAYBE_STORE_LINK_KEY,
    S283: Frame.CLEAR_TEMPORARY_DATA_MAYBE_STORE_LINK_KEY_283K1,
}
CERTIFICATE = {S163: Frame.GET_CERTIFICATE, S283: Frame.GET_CERTIFICATE_283K1}
THEIRS = credentials(HUB)


def _desk(version: int = 13, **identity: Any) -> Desk:
    return Desk(a_joiner(version, **identity)).connect()


def _generate(desk: Desk, suite: KeySuite) -> bytes:
    assert desk.ask(GENERATE[suite], Nothing()) == StatusOnly(Status.IN_PROGRESS)
    desk.wait(1_000)
    answer = told(desk, GENERATED[suite])[-1]
    assert answer.status is Status.OK
    key: bytes = answer.public_key
    return key


def _agree(desk: Desk, suite: KeySuite, *, initiator: bool = True) -> bytes:
    """Play the partner; return its link key."""
    ours = _generate(desk, suite)
    theirs = EphemeralKey.draw(suite, Stream(5, "partner"))
    partner = THEIRS[suite]
    own = desk.ask(CERTIFICATE[suite], Nothing())
    assert own.status is Status.OK
    order = CalculateSmacs(initiator, partner.certificate, theirs.public)
    assert desk.ask(CALCULATE[suite], order) == StatusOnly(Status.IN_PROGRESS)
    desk.wait(1_000)
    proofs = told(desk, CALCULATED[suite])[-1]
    agreed = agree(partner, theirs, own.certificate, ours, initiator=not initiator)
    assert (proofs.status, proofs.initiator, proofs.responder) == (
        Status.OK,
        agreed.mac_u,
        agreed.mac_v,
    )
    return agreed.link_key


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("suite", KeySuite)
def test_a_node_agrees_with_its_trust_centre_and_the_key_takes_the_place_of_that_of_joining(
    version: int, suite: KeySuite
) -> None:
    desk, _air = joined_hub(version)
    link_key = _agree(desk, suite)
    security = desk.dongle.ncp.state.nv.security
    assert security is not None
    assert security.tc_key == INSTALL_KEY
    assert desk.ask(CLEAR[suite], StoreLinkKey(True)) == StatusOnly()
    security = desk.dongle.ncp.state.nv.security
    assert security is not None
    assert security.tc_key == link_key
    assert desk.dongle.ncp.state.nv.link_keys == {}
    assert desk.ask(CLEAR[suite], StoreLinkKey(True)) == StatusOnly(Status.INVALID_STATE)


@pytest.mark.parametrize("suite", KeySuite)
def test_a_hub_keeps_the_key_in_its_table_as_long_as_there_is_room(suite: KeySuite) -> None:
    desk = _desk()
    desk.ask(Frame.SET_CONFIGURATION_VALUE, ConfigSetting(ConfigId.KEY_TABLE_SIZE, 1))
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, SECURITY)
    desk.ask(Frame.FORM_NETWORK, FORM)
    desk.ask(Frame.IMPORT_LINK_KEY, LinkKeyImport(0, DONGLE, bytes(16)))
    link_key = _agree(desk, suite, initiator=False)
    assert desk.ask(CLEAR[suite], StoreLinkKey(True)) == StatusOnly(Status.FULL)
    desk.ask(Frame.CLEAR_KEY_TABLE, Nothing())
    assert desk.ask(CLEAR[suite], StoreLinkKey(True)) == StatusOnly()
    assert desk.dongle.ncp.state.nv.link_keys == {0: (HUB, link_key)}


@pytest.mark.parametrize("suite", KeySuite)
def test_without_storing_everything_is_forgotten(suite: KeySuite) -> None:
    desk, _air = joined_hub()
    _agree(desk, suite)
    before = desk.dongle.dump()
    assert desk.ask(CLEAR[suite], StoreLinkKey(False)) == StatusOnly()
    assert desk.dongle.dump() == before
    assert desk.dongle.ncp.state.ram.exchange is None
    assert desk.ask(CLEAR[suite], StoreLinkKey(False)) == StatusOnly()


@pytest.mark.parametrize("suite", KeySuite)
def test_what_comes_in_the_wrong_order_has_its_own_status_and_changes_nothing(
    suite: KeySuite,
) -> None:
    desk, _air = joined_hub()
    other = S163 if suite is S283 else S283
    order = CalculateSmacs(True, THEIRS[suite].certificate, EphemeralKey.of(suite, 5).public)
    else_order = CalculateSmacs(True, THEIRS[other].certificate, EphemeralKey.of(other, 5).public)
    before = desk.dongle.dump()
    assert desk.ask(CALCULATE[suite], order) == StatusOnly(Status.INVALID_STATE)
    assert desk.ask(CLEAR[suite], StoreLinkKey(True)) == StatusOnly(Status.INVALID_STATE)
    assert desk.ask(GENERATE[suite], Nothing()) == StatusOnly(Status.IN_PROGRESS)
    for name, values in (
        (GENERATE[suite], Nothing()),
        (GENERATE[other], Nothing()),
        (CALCULATE[suite], order),
        (CLEAR[suite], StoreLinkKey(True)),
        (Frame.DSA_SIGN, Octets(b"m" * 16)),
    ):
        assert desk.ask(name, values) == StatusOnly(Status.BUSY), name
    desk.wait(1_000)
    assert len(desk.callbacks) == 1
    assert desk.ask(CALCULATE[other], else_order) == StatusOnly(Status.INVALID_STATE)
    assert desk.ask(CLEAR[suite], StoreLinkKey(True)) == StatusOnly(Status.INVALID_STATE)
    assert desk.ask(CALCULATE[suite], order) == StatusOnly(Status.IN_PROGRESS)
    assert desk.ask(CALCULATE[suite], order) == StatusOnly(Status.BUSY)
    desk.wait(1_000)
    assert desk.ask(CLEAR[other], StoreLinkKey(True)) == StatusOnly(Status.INVALID_STATE)
    assert desk.dongle.dump() == before
    assert desk.ask(CLEAR[suite], StoreLinkKey(True)) == StatusOnly()


@pytest.mark.parametrize("suite", KeySuite)
def test_a_certificate_or_a_key_that_is_none_is_told_with_the_result(suite: KeySuite) -> None:
    desk, _air = joined_hub()
    good, key = THEIRS[suite].certificate, EphemeralKey.of(suite, 5).public
    spoilt = {
        "certificate": (bytes(len(good)), key),
        "key": (good, b"\x09" + key[1:]),
        "both": (b"\xff" * len(good), b"\xff" * len(key)),
    }
    for what, (certificate, public) in spoilt.items():
        _generate(desk, suite)
        order = CalculateSmacs(True, certificate, public)
        assert desk.ask(CALCULATE[suite], order) == StatusOnly(Status.IN_PROGRESS)
        desk.wait(1_000)
        proofs = told(desk, CALCULATED[suite])[-1]
        assert proofs.status is Status.SECURITY_DATA_INVALID, what
        assert (proofs.initiator, proofs.responder) == (bytes(16), bytes(16))
        assert desk.ask(CLEAR[suite], StoreLinkKey(True)) == StatusOnly(Status.INVALID_STATE)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "octets"), [(CALCULATE[S163], 71), (CALCULATE[S283], 112)])
@pytest.mark.parametrize(("more", "reason"), [(-1, Status.TRUNCATED), (1, Status.OVERFLOW)])
def test_a_certificate_of_another_length_is_no_command(
    version: int, name: Frame, octets: int, more: int, reason: Status
) -> None:
    desk = _desk(version)
    number = codec_of(version).frames[name].to_bytes(2, "little")
    answer = desk.exchange(b"\x07\x00\x01" + number + bytes(octets + more))
    assert answer.name is Frame.INVALID_COMMAND
    if version < 14:
        assert answer.values.status is reason
    else:  # since then one number stands for everything that is wrong with a frame
        assert answer.values.status.value[0] == reason.value[0] == 0x0C1E


@pytest.mark.parametrize("suite", KeySuite)
@pytest.mark.parametrize(
    ("identity", "status"),
    [
        ({"libraries": frozenset()}, Status.LIBRARY_NOT_PRESENT),
        ({"credentials": {}}, Status.SECURITY_DATA_INVALID),
    ],
)
def test_a_stub_and_a_missing_certificate_are_two_refusals(
    suite: KeySuite, identity: dict[str, Any], status: Status
) -> None:
    desk = _desk(**identity)
    order = CalculateSmacs(True, THEIRS[suite].certificate, EphemeralKey.of(suite, 5).public)
    assert desk.ask(GENERATE[suite], Nothing()) == StatusOnly(status)
    assert desk.ask(CALCULATE[suite], order) == StatusOnly(status)
    certificate = desk.ask(CERTIFICATE[suite], Nothing())
    assert (certificate.status, set(certificate.certificate)) == (status, {0})
    assert desk.ask(Frame.DSA_SIGN, Octets(b"m" * 16)) == StatusOnly(status)
    desk.wait(1_000)
    assert desk.callbacks == []


def test_the_libraries_that_are_there_say_so() -> None:
    for libraries in (frozenset[int](), CBKE_LIBRARIES):
        desk = _desk(libraries=libraries)
        there = {
            number
            for number in range(0x15)
            if desk.ask(Frame.GET_LIBRARY_STATUS, LibraryId(number)).status & 0x80
        }
        assert there == libraries


def test_a_slow_chip_takes_its_time_and_a_reset_ends_it() -> None:
    desk = _desk(cbke_ms=1_500)
    desk.ask(GENERATE[S283], Nothing())
    desk.wait(1_499)
    assert desk.callbacks == []
    desk.wait(1)
    assert [frame.name for frame in desk.callbacks] == [GENERATED[S283]]
    desk.callbacks.clear()
    desk.ask(GENERATE[S163], Nothing())
    desk.wait(500)
    assert [frame.name for frame in desk.callbacks] == [GENERATED[S163]]
    desk.callbacks.clear()
    desk.ask(GENERATE[S283], Nothing())
    desk.connect()
    desk.wait(10_000)
    assert desk.callbacks == []
    assert desk.ask(GENERATE[S283], Nothing()) == StatusOnly(Status.IN_PROGRESS)


def test_what_can_be_written_once_is_never_written() -> None:
    desk = _desk()
    before = desk.dongle.dump()
    once = PreinstalledCbkeData(bytes(22), bytes(48), bytes(21))
    refused = StatusOnly(Status.INVALID_STATE)
    assert desk.ask(Frame.SET_PREINSTALLED_CBKE_DATA, once) == refused
    assert desk.ask(Frame.SAVE_PREINSTALLED_CBKE_DATA_283K1, Nothing()) == refused
    for value in (ValueId.CERTIFICATE_283K1, ValueId.PUBLIC_KEY_283K1, ValueId.PRIVATE_KEY_283K1):
        answer = desk.ask(Frame.SET_VALUE, ValueSetting(int(value), bytes(37)))
        assert answer.status in {Status.INVALID_STATE, Status.NOT_SUPPORTED}
    assert desk.dongle.dump() == before


def test_the_token_tells_the_certificate_and_keeps_the_private_key_back() -> None:
    own = credentials(DONGLE)[S163]
    token = _desk().ask(Frame.GET_MFG_TOKEN, MfgTokenId(MfgToken.CBKE_DATA)).octets
    assert token == own.certificate + own.authority_key + b"\xff" * 21 + b"\x00"
    bare = _desk(credentials={}).ask(Frame.GET_MFG_TOKEN, MfgTokenId(MfgToken.CBKE_DATA)).octets
    assert bare == b"\xff" * 92


@pytest.mark.parametrize("version", VERSIONS)
def test_a_message_comes_back_signed(version: int) -> None:
    desk = _desk(version)
    message = bytes(range(60))
    assert desk.ask(Frame.DSA_SIGN, Octets(message)) == StatusOnly(Status.IN_PROGRESS)
    desk.wait(1_000)
    (signed,) = told(desk, Frame.DSA_SIGN_HANDLER)
    assert signed.status is Status.OK
    body, signature = signed.octets[:-42], signed.octets[-42:]
    assert body == message + DONGLE.octets[::-1]
    own = credentials(DONGLE)[S163]
    public = public_key(S163, own.certificate, own.authority_key)
    assert verifies(public, body, signature)
    assert not verifies(public, body + b"\x00", signature)
    assert not verifies(public, body, signature[:-1] + bytes((signature[-1] ^ 1,)))
    assert not verifies(public, body, bytes(42))
    assert not verifies(public, body, signature[:-1])
    too_long = desk.ask(Frame.DSA_SIGN, Octets(bytes(151)))
    assert too_long == StatusOnly(Status.MESSAGE_TOO_LONG)


def test_secrets_do_not_show_in_a_printed_identity() -> None:
    desk = _desk()
    own = credentials(DONGLE)[S163]
    shown = repr(desk.dongle.ncp.state.identity)
    assert str(own.private_scalar) not in shown
    assert own.certificate.hex() not in shown
