"""A whole key establishment as octets, and what must not lead to a key."""

import dataclasses

import pytest

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import key_establishment as cluster
from emulator.codecs.zcl.key_establishment import (
    CERTIFICATE_OCTETS,
    POINT_OCTETS,
    ConfirmRequest,
    InitiateRequest,
    KeySuite,
    Terminate,
    TerminateStatus,
)
from emulator.codecs.zigbee_certificate import USAGE_SIGNATURE
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.cbke import SoftwareEngine
from emulator.crypto.cbke_outputs import CbkeIdentity
from emulator.crypto.cbke_session import BACK_OFF_S, CbkeSession
from emulator.crypto.cbke_table import CbkeRole, CbkeState
from emulator.crypto.ecqv import Credentials
from tests.emulator.crypto.cbke_kit import (
    HUB,
    METER,
    STRANGER,
    Player,
    authority,
    carry_on,
    credentials,
    last_status,
    moments,
    nobody_has_a_key,
    pair,
    play,
    player,
    read,
)
from tests.emulator.crypto.smart_energy_annex_c import EXAMPLES, Example, Side

SUITE = pytest.mark.parametrize("suite", list(KeySuite), ids=lambda suite: suite.name)
U, V = CbkeRole.INITIATOR, CbkeRole.RESPONDER
FRAMES = range(6)


@SUITE
def test_six_frames_establish_the_same_key_on_both_sides(suite: KeySuite) -> None:
    meter, hub = pair(suite)
    frames = play(meter, hub)
    sizes = [7 + CERTIFICATE_OCTETS[suite]] * 2 + [3 + POINT_OCTETS[suite]] * 2 + [19] * 2
    assert [len(frame) for frame in frames] == sizes
    assert [frame[2] for frame in frames] == [0, 0, 1, 1, 2, 2]
    assert [zcl_frame.decode(frame).server_to_client for frame in frames] == [False, True] * 3
    assert meter.session.state is hub.session.state is CbkeState.ESTABLISHED
    assert meter.link_key is not None
    assert meter.link_key == hub.link_key
    assert meter.link_key.hex() not in b"".join(frames).hex()


class FixedKey(SoftwareEngine):
    """Arithmetic whose ephemeral key is that of an example."""

    def __init__(self, example: Example, side: Side) -> None:
        super().__init__(example.credentials(side), Stream(1, "unused"))
        self._fixed = example.ephemeral(side)

    def make_key(self) -> bytes:
        self._ephemeral = self._fixed
        return self._fixed.public


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.suite.name)
def test_the_exchange_of_annex_c_runs_octet_by_octet(example: Example) -> None:
    def side(role: CbkeRole, we: Side, they: Side) -> Player:
        ours = example.credentials(we)
        played = player(role, ours, example.credentials(they).subject)
        played.engine = FixedKey(example, we)
        return played

    u, v = side(U, example.u, example.v), side(V, example.v, example.u)
    payloads = [frame[3:].hex() for frame in play(u, v)]
    head = f"{int(example.suite):02x}000306"
    one, other = (bytes.fromhex(side.certificate).hex() for side in (example.u, example.v))
    keys = [example.u.ephemeral_public, example.v.ephemeral_public]
    assert payloads == [head + one, head + other, *keys, example.mac_u, example.mac_v]
    assert u.link_key == v.link_key == bytes.fromhex(example.link_key)


# -- who may take part -------------------------------------------------------------------------


@SUITE
def test_another_authority_of_the_same_name_is_found_out_by_the_proof(suite: KeySuite) -> None:
    meter = player(U, credentials(suite, METER, seed=2), HUB)
    hub = player(V, credentials(suite, HUB), METER)
    frames = play(meter, hub)
    assert last_status(frames) is TerminateStatus.BAD_KEY_CONFIRM
    assert hub.ended is not None
    assert hub.ended.status is TerminateStatus.BAD_KEY_CONFIRM
    assert meter.ended is not None
    assert meter.ended.by_partner
    assert nobody_has_a_key(meter, hub)


@SUITE
@pytest.mark.parametrize("strange", [U, V])
def test_an_authority_of_another_name_is_an_unknown_issuer(
    suite: KeySuite, strange: CbkeRole
) -> None:
    other = authority(suite, 3, b"ELSEWHER")
    devices = {U: METER, V: HUB}
    ours = {role: credentials(suite, device) for role, device in devices.items()}
    ours[strange] = other.issue(devices[strange], Stream(1, "strange"))
    meter, hub = player(U, ours[U], HUB), player(V, ours[V], METER)
    frames = play(meter, hub)
    assert last_status(frames) is TerminateStatus.UNKNOWN_ISSUER
    assert len(frames) == 2
    assert nobody_has_a_key(meter, hub)


@SUITE
def test_a_stolen_certificate_without_its_private_key_proves_nothing(suite: KeySuite) -> None:
    stolen = dataclasses.replace(credentials(suite, METER), private_scalar=12345)
    meter, hub = player(U, stolen, HUB), player(V, credentials(suite, HUB), METER)
    assert last_status(play(meter, hub)) is TerminateStatus.BAD_KEY_CONFIRM
    assert nobody_has_a_key(meter, hub)


@SUITE
def test_a_certificate_of_somebody_else_is_a_bad_message(suite: KeySuite) -> None:
    meter = player(U, credentials(suite, STRANGER), HUB)
    hub = player(V, credentials(suite, HUB), METER)
    frames = play(meter, hub)
    assert last_status(frames) is TerminateStatus.BAD_MESSAGE
    assert len(frames) == 2
    assert nobody_has_a_key(meter, hub)


def test_a_certificate_that_may_not_agree_keys_is_refused() -> None:
    signer = authority(KeySuite.CBKE_283).issue(
        METER, Stream(1, "signer"), key_usage=USAGE_SIGNATURE
    )
    meter = player(U, signer, HUB)
    hub = player(V, credentials(KeySuite.CBKE_283, HUB), METER)
    assert last_status(play(meter, hub)) is TerminateStatus.INVALID_CERTIFICATE
    assert nobody_has_a_key(meter, hub)


@pytest.mark.parametrize("offset", [0, 9, 10], ids=["type", "curve", "hash"])
def test_a_certificate_of_another_type_curve_or_hash_is_refused(offset: int) -> None:
    ours = credentials(KeySuite.CBKE_283, METER)
    spoilt = bytearray(ours.certificate)
    spoilt[offset] ^= 1
    request = InitiateRequest(KeySuite.CBKE_283, 3, 6, bytes(spoilt))
    hub = player(V, credentials(KeySuite.CBKE_283, HUB), METER)
    frames = hub.hear(cluster.encode(request, 1))
    assert last_status(frames) is TerminateStatus.INVALID_CERTIFICATE
    assert nobody_has_a_key(hub)


# -- suites ------------------------------------------------------------------------------------


@SUITE
def test_a_suite_the_responder_has_not_is_refused_with_those_it_has(suite: KeySuite) -> None:
    other = next(each for each in KeySuite if each is not suite)
    meter = player(U, credentials(suite, METER), HUB)
    hub = player(V, credentials(other, HUB), METER)
    frames = play(meter, hub)
    told = Terminate(TerminateStatus.UNSUPPORTED_SUITE, BACK_OFF_S, other)
    assert read(frames[-1]) == told
    assert nobody_has_a_key(meter, hub)


@pytest.mark.parametrize("number", [0, 3, 4, 0x8000, 0xFFFF])
def test_suites_that_nobody_knows_are_refused(number: int) -> None:
    hub = player(V, credentials(KeySuite.CBKE_283, HUB), METER)
    request = InitiateRequest(number, 3, 6, b"any certificate")
    assert last_status(hub.hear(cluster.encode(request, 1))) is TerminateStatus.UNSUPPORTED_SUITE
    assert nobody_has_a_key(hub)


def test_a_device_of_both_suites_answers_in_the_one_asked_for() -> None:
    both = {suite: credentials(suite, HUB) for suite in KeySuite}
    identity = CbkeIdentity(HUB, {suite: ours.certificate for suite, ours in both.items()})
    assert identity.suites == 3
    for suite in KeySuite:
        meter = player(U, credentials(suite, METER), HUB)
        hub = player(V, both[suite], METER)
        hub.session = CbkeSession(V, identity, METER)
        play(meter, hub)
        assert hub.session.suite is suite
        assert meter.link_key == hub.link_key is not None


def test_an_answer_in_another_suite_than_asked_for_is_refused() -> None:
    meter = player(U, credentials(KeySuite.CBKE_163, METER), HUB)
    meter.start()
    answer = cluster.InitiateResponse(2, 3, 6, credentials(KeySuite.CBKE_283, HUB).certificate)
    assert last_status(meter.hear(cluster.encode(answer, 1))) is TerminateStatus.UNSUPPORTED_SUITE
    assert nobody_has_a_key(meter)


def test_an_ephemeral_key_of_the_other_suite_is_a_bad_message() -> None:
    first, second = moments(KeySuite.CBKE_163), moments(KeySuite.CBKE_283)
    for number in (2, 3):
        listener, talker = first[number].copies()
        assert last_status(listener.hear(second[number].frame)) is TerminateStatus.BAD_MESSAGE
        assert nobody_has_a_key(listener, talker)


# -- order -------------------------------------------------------------------------------------


@SUITE
@pytest.mark.parametrize("due", FRAMES)
def test_a_frame_out_of_sequence_ends_the_exchange(suite: KeySuite, due: int) -> None:
    """Every frame where another one is due, those of the other direction too."""
    for number in FRAMES:
        if number == due:
            continue
        listener, talker = moments(suite)[due].copies()
        frames = listener.hear(moments(suite)[number].frame)
        assert last_status(frames) is TerminateStatus.BAD_MESSAGE
        carry_on(talker, listener, frames[-1])
        assert listener.link_key is None
        assert listener.session.state is CbkeState.ENDED
        assert talker.session.state is not CbkeState.ESTABLISHED or due == 5  # the hub was done


@SUITE
def test_a_whole_exchange_replayed_proves_nothing_to_a_fresh_responder(suite: KeySuite) -> None:
    recorded = [moment.frame for moment in moments(suite)][::2]
    _, hub = pair(suite, "another day ")
    answers = [answer for frame in recorded for answer in hub.hear(frame)]
    assert last_status(answers) is TerminateStatus.BAD_KEY_CONFIRM
    assert nobody_has_a_key(hub)


@SUITE
def test_a_whole_exchange_replayed_proves_nothing_to_a_fresh_initiator(suite: KeySuite) -> None:
    recorded = [moment.frame for moment in moments(suite)][1::2]
    meter, _ = pair(suite, "another day ")
    meter.start()
    answers = [answer for frame in recorded for answer in meter.hear(frame)]
    assert last_status(answers) is TerminateStatus.BAD_KEY_CONFIRM
    assert nobody_has_a_key(meter)


@SUITE
def test_an_initiators_own_frames_sent_back_to_it_prove_nothing(suite: KeySuite) -> None:
    """A mirror with no key: every frame comes back in the direction of an answer."""
    meter, _ = pair(suite)
    waiting = meter.start()
    for _ in range(4):
        mirrored = [bytes([frame[0] | 0x08]) + frame[1:] for frame in waiting]
        waiting = [answer for frame in mirrored for answer in meter.hear(frame)]
    assert nobody_has_a_key(meter)
    assert meter.session.state is CbkeState.ENDED


@SUITE
def test_the_responders_proof_is_not_the_initiators(suite: KeySuite) -> None:
    """Whoever heard MAC(U) cannot send it back as MAC(V)."""
    meter, _ = moments(suite)[5].copies()
    mac_u = moments(suite)[4].frame
    mirrored = bytes([mac_u[0] | 0x08]) + mac_u[1:]
    assert last_status(meter.hear(mirrored)) is TerminateStatus.BAD_KEY_CONFIRM
    assert nobody_has_a_key(meter)


@SUITE
@pytest.mark.parametrize("mac", [bytes(16), bytes([255]) * 16])
def test_a_made_up_proof_is_refused(suite: KeySuite, mac: bytes) -> None:
    hub, meter = moments(suite)[4].copies()
    frames = hub.hear(cluster.encode(ConfirmRequest(mac), 7))
    assert last_status(frames) is TerminateStatus.BAD_KEY_CONFIRM
    carry_on(meter, hub, frames[-1])
    assert nobody_has_a_key(meter, hub)


@SUITE
@pytest.mark.parametrize("number", FRAMES)
def test_a_terminate_ends_the_exchange_at_any_point(suite: KeySuite, number: int) -> None:
    listener, _ = moments(suite)[number].copies()
    if listener.session.state is CbkeState.IDLE:
        return  # nothing to end
    from_server = listener.session.role is U
    told = Terminate(TerminateStatus.NO_RESOURCES, 77, 2)
    assert listener.hear(cluster.encode(told, 1, server_to_client=from_server)) == []
    assert listener.ended is not None
    assert (listener.ended.status, listener.ended.wait_s) == (TerminateStatus.NO_RESOURCES, 77)
    assert listener.ended.by_partner
    assert nobody_has_a_key(listener)


# -- keys and names ----------------------------------------------------------------------------


@SUITE
def test_a_key_outside_the_subgroup_ends_the_exchange(suite: KeySuite) -> None:
    order_two = b"\x02" + bytes(POINT_OCTETS[suite] - 1)
    hub, _ = moments(suite)[2].copies()
    hub.hear(cluster.encode(cluster.EphemeralRequest(order_two), 3))
    frames = hub.hear(cluster.encode(ConfirmRequest(bytes(16)), 4))
    assert last_status(frames) is TerminateStatus.BAD_MESSAGE
    assert nobody_has_a_key(hub)


def test_a_partner_is_named_by_address_not_by_wish() -> None:
    """The certificate's subject must be whom the frames come from."""
    wrong: list[tuple[Credentials, Eui64]] = [
        (credentials(KeySuite.CBKE_163, METER), STRANGER),
        (credentials(KeySuite.CBKE_163, STRANGER), METER),
    ]
    for ours, heard_from in wrong:
        hub = player(V, credentials(KeySuite.CBKE_163, HUB), heard_from)
        meter = player(U, ours, HUB)
        assert last_status(play(meter, hub)) is TerminateStatus.BAD_MESSAGE
        assert nobody_has_a_key(meter, hub)
