"""The guard of a dongle: what each role may tell it, and what nobody may."""

import importlib

import pytest

from harness.errors import NotPermittedError
from hil.zigbee.guard import GRANTS, VERBS, Guard, GuardRefusedError, Role, Verb, refused_to

#: What no role may ever do.
NEVER = (0x09, 0x0C, 0x77, 0x8F, 0x90, 0x96, 0x51, 0x89, 0xA2, 0xED, 0xB1, 0x103, 0x104, 0xFFF)


def frame(frame_id: int, parameters: bytes = b"") -> bytes:
    """Return an EZSP frame of v8 and later."""
    return bytes((7, 0, 1)) + frame_id.to_bytes(2, "little") + parameters


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("frame_id", NEVER)
def test_nobody_writes_what_can_be_written_once_boots_erases_or_transmits_raw(
    role: Role, frame_id: int
) -> None:
    with pytest.raises(GuardRefusedError) as refused:
        Guard(role).check(frame(frame_id, bytes(8)))
    assert isinstance(refused.value, NotPermittedError)
    with pytest.raises(ValueError, match="nobody may"):
        Guard(role, frozenset({VERBS.get(frame_id, Verb.BOOT)}))


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.HUB, (0x1E, 0x22, 0x34, 0x10E, 0xA8, 0x17), (0x1F, 0x20, 0x21, 0x83)),
        (Role.NODE, (0x1F, 0x20, 0x21, 0x34, 0x1A, 0x42), (0x1E, 0x22, 0xA8, 0x83)),
        (
            Role.OBSERVER,
            (0x1A, 0x83, 0x8A, 0x26, 0x05),
            (0x17, 0x1E, 0x1F, 0x34, 0x36, 0x39, 0x10E),
        ),
    ],
)
def test_a_role_may_do_what_its_table_says(
    role: Role, may: tuple[int, ...], may_not: tuple[int, ...]
) -> None:
    assert refused_to(role, may) == []
    assert refused_to(role, may_not) == list(may_not)


def test_an_observer_is_granted_nothing_that_sends_but_the_scan() -> None:
    sends = {Verb.SEND, Verb.FORM, Verb.JOIN, Verb.RESUME, Verb.PERMIT, Verb.REMOVE, Verb.TRANSMIT}
    assert not GRANTS[Role.OBSERVER] & sends


def test_a_verb_more_is_granted_by_name() -> None:
    with pytest.raises(GuardRefusedError, match="leave its network"):
        Guard(Role.HUB).check(frame(0x20))
    Guard(Role.HUB, frozenset({Verb.LEAVE})).check(frame(0x20))


@pytest.mark.parametrize(("seconds", "passes"), [(0, True), (60, True), (61, False), (255, False)])
def test_joining_is_never_permitted_for_longer_than_a_minute(seconds: int, passes: bool) -> None:
    aps = bytes((0, 0, 0x36, 0, 0, 0, 0, 1, 0, 0, 0))
    broadcast = bytes((0xFC, 0xFF)) + aps + bytes((0, 1, 3, 9, seconds, 1))
    unicast = bytes((0, 0x12, 0x34)) + aps + bytes((1, 3, 9, seconds, 1))
    for told in (
        frame(0x22, bytes((seconds,))),
        frame(0x36, broadcast),
        frame(0x34, unicast),
    ):
        if passes:
            Guard(Role.HUB).check(told)
        else:
            with pytest.raises(GuardRefusedError, match=f"{seconds} s"):
                Guard(Role.HUB).check(told)
    wide = bytes((0xFF, 0xFF, 0xFC, 0xFF, 0)) + aps + bytes((0, 1, 0, 3, 9, 61, 1))
    with pytest.raises(GuardRefusedError):
        Guard(Role.HUB).check(frame(0x36, wide), 14)


def test_a_node_does_not_open_somebody_elses_network_by_message() -> None:
    aps = bytes((0, 0, 0x36, 0, 0, 0, 0, 1, 0, 0, 0))
    unicast = bytes((0, 0x12, 0x34)) + aps + bytes((1, 3, 9, 30, 1))
    with pytest.raises(GuardRefusedError, match="permit joining"):
        Guard(Role.NODE).check(frame(0x34, unicast))


def test_power_has_a_cap() -> None:
    guard = Guard(Role.HUB, max_power_dbm=10)
    guard.check(frame(0x99, bytes((10,))))
    guard.check(frame(0x99, (-5 & 0xFF).to_bytes(1, "big")))
    with pytest.raises(GuardRefusedError, match="11 dBm"):
        guard.check(frame(0x99, bytes((11,))))
    with pytest.raises(GuardRefusedError, match="20 dBm"):
        guard.check(frame(0x1E, bytes(10) + bytes((20,)) + bytes(9)))


@pytest.mark.parametrize("value", [0x1A, 0x1B, 0x1C])
def test_certificates_do_not_get_in_as_values(value: int) -> None:
    with pytest.raises(GuardRefusedError, match="written once"):
        Guard(Role.NODE).check(frame(0xAB, bytes((value, 2, 0, 0))))
    Guard(Role.NODE).check(frame(0xAB, bytes((0x3A, 1, 1))))


def test_an_old_header_carries_the_first_version_and_nothing_else() -> None:
    Guard(Role.OBSERVER).check(bytes((0, 0, 0, 4)))
    for told in (bytes((0, 0, 5)), bytes((0, 0, 0x1E, 4)), bytes((0, 0, 0xFF, 0, 0x1E)), b""):
        with pytest.raises(GuardRefusedError):
            Guard(Role.HUB).check(told)


@pytest.mark.parametrize("version", [8, 13, 14, 18, 19])
def test_what_bellows_can_send_is_in_the_table_or_is_refused_for_a_reason(version: int) -> None:
    module = importlib.import_module(f"bellows.ezsp.v{version}")
    commands = getattr(module, f"EZSPv{version}").COMMANDS
    for name, (frame_id, _request, _answer) in commands.items():
        if name.endswith("Handler") or "Handler283k1" in name:
            continue
        verb = VERBS.get(int(frame_id))
        if verb is Verb.READ and not (int(frame_id) == 0x5F and version >= 17):
            assert not name.lower().startswith(("set", "write", "send", "clear", "erase")), name
        if name.startswith(("setMfgToken", "savePreinstalled", "setPreinstalled", "write")):
            assert verb in {Verb.ONE_TIME, Verb.ERASE, None}, name
