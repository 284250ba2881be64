"""Orders to the emulated hub beside a served dongle: messages from its WAN, and the permission."""

import asyncio
from dataclasses import replace

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.ncp.identity import Identity
from emulator.runtime.dongle_home import Joining
from emulator.runtime.dongle_hub import HubPlan, surround
from emulator.runtime.hub_in_air import WAN_OUT
from emulator.servers import listen
from emulator.servers.dongle_control import DongleOrders
from emulator.servers.dongle_service import DonglePlan, DongleService
from tests.emulator.ncp.home_given import a_plan as a_member
from tests.emulator.runtime.hub_home_given import SEED, START, a_plan, ask_version, device_of

CHF = device_of(DeviceType.CHF)
ESME = device_of(DeviceType.ESME)
LIMIT_S = 30


def _served(*, hub: bool) -> DonglePlan:
    plan = DonglePlan(Identity(ESME, 13), (a_member(),), SEED, listen.parse("pty"), START)
    if not hub:
        return plan
    home = HubPlan(replace(a_plan(), elsewhere=frozenset({ESME})), ESME, True, Joining())
    return replace(plan, surround=surround(home))


def _ordered(lines: list[str], *, hub: bool, until: str = "") -> tuple[list[str], list[Note]]:
    """Serve a dongle, give it orders, and wait for a note."""
    answers: list[str] = []
    notes: list[Note] = []

    async def scene() -> None:
        told = asyncio.Event()

        def log(_at: UtcMs, note: Note) -> None:
            notes.append(note)
            if note.kind == until:
                told.set()

        service = DongleService(_served(hub=hub), log)
        await service.open()
        try:
            orders = DongleOrders(service, lambda: None, answers.append)
            orders.data_received("".join(f"{line}\n" for line in lines).encode())
            if until:
                await asyncio.wait_for(told.wait(), LIMIT_S)
        finally:
            await service.close()

    asyncio.run(scene())
    return answers, notes


def test_a_message_comes_to_the_hub_from_its_wan_and_its_answer_is_told() -> None:
    order = f"gbcs {ask_version(CHF).hex()}"
    answers, notes = _ordered([order], hub=True, until=WAN_OUT)
    assert answers == [order[:80]]
    told = next(dict(note.fields)["octets"] for note in notes if note.kind == WAN_OUT)
    assert envelope.decode(bytes.fromhex(str(told))).header.originator == CHF


def test_orders_for_a_hub_mean_nothing_where_there_is_none() -> None:
    lines = ["permit 60", "gbcs DF", "jump"]
    answers, notes = _ordered(lines, hub=False)
    assert answers == [f"refused {line}" for line in lines]
    assert notes == []


def test_joining_is_permitted_and_forbidden_by_order() -> None:
    answers, notes = _ordered(["permit 60", "permit 0", "permit x"], hub=True)
    assert answers == ["permit 60", "permit 0", "refused permit x"]
    permits = [dict(note.fields)["open"] for note in notes if note.kind == "han_permit"]
    assert permits == [True, True, False]
