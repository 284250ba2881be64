"""A head end that asks with other keys while an association of its own stands."""

from dataclasses import replace
from typing import Any

import pytest

from harness.benches.emulated_smets1 import EmulatedSmets1Bench
from harness.dlms.jobs import AssociateJob, GetJob
from harness.dlms.settings import Framing, LineSettings
from harness.journalled_meter import _association_back, _association_down
from harness.meter import Association, Silence, Unanswered
from harness.migration.proofs import Door
from harness.smets1.sessions import Sessions
from tests.harness.dlms.peer import Pump, WrapperPeer, reader
from tests.harness.dlms.scripted import NAME, public
from tests.harness.dlms.stories import server
from tests.harness.smets1.homes import SERIAL, bench, credentials, play

ROLES = ("CHF", "ESME", "GSME")
AARQ, RLRQ, GET = 0x60, 0x62, 0xC0


def facts(made: EmulatedSmets1Bench, kind: str, name: str) -> list[Any]:
    """What devices told of that kind since the last call, one field of each."""
    made.take_frames()
    told = [fact for fact in made.take_observations() if fact.kind == kind]
    return [dict(fact.fields).get(name) for fact in told]


@pytest.mark.parametrize("role", ROLES)
def test_a_refused_wish_leaves_the_association_that_stands(role: str) -> None:
    made = bench()
    port = made.meter(role, "wan@SMSO")

    async def story() -> tuple[Association, object]:
        assert (await port.associate(credentials(made, role, "SMSO"))).accepted
        other = await port.associate(credentials(made, role, "S1SP"))
        return other, await port.get([SERIAL])

    other, answer = play(story)
    assert (other.accepted, other.before_stands) == (False, True)
    assert isinstance(answer, tuple)
    assert facts(made, "dlms_released", "why") == []


def test_a_granted_wish_takes_the_place_of_the_association_that_stands() -> None:
    made = bench()
    port, own = made.meter("ESME", "wan@SMSO"), credentials(made, "ESME", "SMSO")

    async def story() -> object:
        first, second = await port.associate(own), await port.associate(own)
        assert (first.accepted, second.accepted, second.before_stands) == (True, True, False)
        return await port.get([SERIAL])

    assert isinstance(play(story), tuple)
    assert facts(made, "dlms_released", "why") == ["replaced"]


@pytest.mark.parametrize("opens", [False, True], ids=["refused", "let in"])
def test_what_is_kept_with_a_device_outlives_a_refusal_and_nothing_else(opens: bool) -> None:
    made, sessions = bench(), Sessions()
    own = credentials(made, "ESME", "SMSO")
    other = own if opens else credentials(made, "ESME", "S1SP")
    kept = sessions.of(made.role("ESME"))
    door = Door(made.meter("ESME", "wan@SMSO"), made.clock, kept)

    async def story() -> bool | None:
        sessions.begin()
        assert await door.opens_to(own)
        assert kept.stands(own)
        return await door.opens_to(other, expected=False)

    assert play(story) is opens
    assert kept.stands(own) is not opens


def test_a_proof_leaves_nothing_open_where_nobody_keeps_anything() -> None:
    made = bench()
    door = Door(made.meter("ESME", "wan@SMSO"), made.clock)

    async def story() -> tuple[bool, object]:
        own, other = credentials(made, "ESME", "SMSO"), credentials(made, "ESME", "S1SP")
        return (await door.prove(own, other)).holds, await door.port.get([SERIAL])

    holds, answer = play(story)
    assert holds
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.NOT_ASSOCIATED


@pytest.mark.parametrize("replaces", [False, True])
def test_only_where_a_meter_is_known_to_replace_nobody_is_released_first(
    replaces: bool,
) -> None:
    meter = server()
    settings = LineSettings(framing=Framing.WRAPPER, replaces=replaces)
    pump = Pump(reader(settings), WrapperPeer(meter))
    assert pump.play(AssociateJob(public())).accepted  # type: ignore[union-attr]  # an association
    meter.refuse = (1, 13)  # type: ignore[assignment]  # numbers will do
    second = pump.play(AssociateJob(public()))
    assert isinstance(second, Association)
    assert second.before_stands is replaces
    said = pump.play(GetJob((NAME,)))  # this meter knows of no association any more
    assert isinstance(said, Unanswered)
    assert said.why is (Silence.EXCEPTION if replaces else Silence.NOT_ASSOCIATED)
    tags = [request[0] for request in meter.requests]
    assert tags == ([AARQ, AARQ, GET] if replaces else [AARQ, RLRQ, AARQ])


def test_a_journal_holds_whether_the_association_from_before_stands() -> None:
    told = Association(accepted=False, result=1, diagnostic=13, before_stands=True)
    assert _association_back(_association_down(told)) == told
    assert _association_back(_association_down(replace(told, before_stands=False))) != told
