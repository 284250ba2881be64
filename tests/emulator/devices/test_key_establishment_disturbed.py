"""The key-establishment endpoint: who is turned away, and who cannot disturb an exchange."""

import json

import pytest

from emulator.codecs.zcl import key_establishment as cluster
from emulator.codecs.zcl.key_establishment import (
    ConfirmRequest,
    EphemeralRequest,
    InitiateResponse,
    KeyEstablishmentCommand,
    Terminate,
    TerminateStatus,
)
from emulator.core.ids import Eui64
from emulator.crypto.cbke_session import BACK_OFF_S
from tests.emulator.crypto.cbke_kit import HUB, METER, STRANGER, credentials
from tests.emulator.devices.key_home import SLOW, SUITE, Home, field, offer

# -- who is turned away ------------------------------------------------------------------------


def test_a_second_partner_is_told_to_come_later_and_disturbs_nothing() -> None:
    home = Home(settings=SLOW)
    home.begin(METER, HUB)
    home.run(seconds=5)
    state = json.dumps(home.ends[HUB].dump())
    home.say(STRANGER, HUB, offer())
    assert json.dumps(home.ends[HUB].dump()) == state
    told = home.commands()[-1]
    assert told == Terminate(TerminateStatus.NO_RESOURCES, BACK_OFF_S, SUITE)
    assert home.frames[-1].to == STRANGER
    home.run()
    assert home.agreed()


@pytest.mark.parametrize("status", [TerminateStatus.NO_RESOURCES, TerminateStatus.BAD_MESSAGE])
def test_a_device_the_log_does_not_admit_is_refused_with_its_status(
    status: TerminateStatus,
) -> None:
    home = Home()
    home.refused[METER] = status
    home.begin(METER, HUB)
    home.run()
    assert not home.ends[HUB].link_keys
    assert not home.ends[METER].link_keys
    told = [command for command in home.commands() if isinstance(command, Terminate)]
    assert {command.status for command in told} == {status}
    assert home.kinds().count("turned_away") == 3, "one an attempt"


def test_a_device_that_claims_our_own_address_is_refused() -> None:
    home = Home()
    home.pass_on = lambda _: []
    home.say(HUB, HUB, offer(HUB))
    assert home.kinds() == ["turned_away"]
    assert home.ends[HUB].session is None


@pytest.mark.parametrize("command", [EphemeralRequest(bytes(22)), ConfirmRequest(bytes(16))])
def test_a_request_without_an_exchange_is_a_bad_message(command: KeyEstablishmentCommand) -> None:
    home = Home()
    home.pass_on = lambda _: []
    home.say(STRANGER, HUB, cluster.encode(command, 5))
    told = home.commands()[-1]
    assert isinstance(told, Terminate)
    assert told.status is TerminateStatus.BAD_MESSAGE
    assert home.frames[-1].frame[1] == 5


@pytest.mark.parametrize("down", [False, True])
def test_a_terminate_without_an_exchange_is_never_answered(down: bool) -> None:
    home = Home()
    told = Terminate(TerminateStatus.BAD_MESSAGE, 30, 1)
    home.say(STRANGER, HUB, cluster.encode(told, 5, server_to_client=down))
    assert not home.frames
    assert home.kinds() == ["ignored"]


def test_answers_without_an_exchange_are_ignored() -> None:
    home = Home()
    answer = InitiateResponse(SUITE, 3, 6, credentials(SUITE, STRANGER).certificate)
    home.say(STRANGER, METER, cluster.encode(answer, 5))
    assert not home.frames
    assert home.kinds() == ["ignored"]


# -- strangers, repetition, damage during an exchange ------------------------------------------


@pytest.mark.parametrize("victim", [METER, HUB])
def test_a_stranger_cannot_end_an_exchange(victim: Eui64) -> None:
    home = Home(settings=SLOW)
    home.begin(METER, HUB)
    home.run(seconds=5)
    for down in (False, True):
        told = Terminate(TerminateStatus.BAD_MESSAGE, 30, 1)
        home.say(STRANGER, victim, cluster.encode(told, 5, server_to_client=down))
    home.say(STRANGER, victim, bytes.fromhex("110902") + bytes(15))
    home.run()
    assert home.agreed()
    assert home.kinds().count("ignored") == 3


def test_a_terminate_for_the_other_role_is_ignored() -> None:
    home = Home(settings=SLOW)
    home.begin(METER, HUB)
    told = Terminate(TerminateStatus.BAD_MESSAGE, 30, 1)
    home.say(HUB, METER, cluster.encode(told, 5, server_to_client=False))
    assert home.kinds() == ["ignored"]
    home.run()
    assert home.agreed()


def test_a_frame_that_arrives_twice_counts_once() -> None:
    home = Home(settings=SLOW)
    home.pass_on = lambda sent: [sent, sent]
    home.begin(METER, HUB)
    home.run()
    assert home.agreed()
    assert set(home.kinds()) == {"ignored", "key_established"}


def test_the_last_request_once_more_after_the_end_is_not_turned_away() -> None:
    home = Home()
    home.begin(METER, HUB)
    home.run()
    confirm = home.frames[4]
    home.say(METER, HUB, confirm.frame)
    assert len(home.frames) == 6
    assert home.agreed()


def test_a_device_that_restarts_its_numbers_is_heard_again() -> None:
    home = Home()
    home.pass_on = lambda _: []
    for _ in range(2):  # the very same octets, once the first attempt is over
        home.say(METER, HUB, offer(METER))
        home.run(seconds=60)
    assert [type(command) for command in home.commands()] == [InitiateResponse] * 2


def test_an_endpoint_takes_either_role_one_after_the_other() -> None:
    home = Home()
    home.begin(HUB, METER)
    home.run()
    assert home.agreed()
    older = home.ends[HUB].link_keys[METER]
    home.begin(METER, HUB)
    home.run()
    assert home.agreed()
    assert home.ends[HUB].link_keys[METER] != older


def test_two_devices_that_begin_at_once_come_to_an_end() -> None:
    home = Home()
    home.pass_on = lambda _: []
    home.begin(METER, HUB)
    home.begin(HUB, METER)
    crossing = list(home.frames)
    home.pass_on = lambda sent: [sent]
    for sent in crossing:
        home.say(METER if sent.to == HUB else HUB, sent.to, sent.frame)
    home.run()
    assert not home.timers
    assert home.kinds().count("ended") >= 2


def test_an_unreadable_frame_of_the_partner_ends_the_attempt_and_the_next_succeeds() -> None:
    home = Home(settings=SLOW)
    home.begin(METER, HUB)
    home.say(METER, HUB, bytes.fromhex("110902") + bytes(15))
    told = home.commands()[-1]
    assert isinstance(told, Terminate)
    assert told.status is TerminateStatus.BAD_MESSAGE
    assert not home.agreed()
    home.run()
    assert home.agreed()


def test_a_partner_of_another_authority_never_gets_a_key() -> None:
    home = Home()
    home.ends[METER] = home.endpoint(METER, 2, SLOW)
    home.begin(METER, HUB)
    home.run()
    assert not home.ends[METER].link_keys
    assert not home.ends[HUB].link_keys
    assert home.kinds().count("given_up") == 1
    statuses = {field(note, "status") for note in home.notes if "ended" in note.kind}
    assert statuses == {"BAD_KEY_CONFIRM"}


def test_a_key_outside_the_subgroup_ends_the_exchange() -> None:
    home = Home()
    home.pass_on = lambda _: []
    home.say(METER, HUB, offer(METER))
    home.say(METER, HUB, cluster.encode(EphemeralRequest(b"\x02" + bytes(21)), 2))
    home.run(seconds=1)
    home.say(METER, HUB, cluster.encode(ConfirmRequest(bytes(16)), 3))
    home.run(seconds=1)
    told = home.commands()[-1]
    assert isinstance(told, Terminate)
    assert told.status is TerminateStatus.BAD_MESSAGE
