"""Whatever order replacements, dates, cancellations and power cycles come in, one model holds."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs import der
from emulator.codecs.gbcs import credentials as wire
from emulator.codecs.gbcs.credentials import Cell
from emulator.codecs.gbcs.dates import CANCEL_TIME
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.core.ids import Eui64
from emulator.devices.credentials.holders import holder, key_identifier
from emulator.devices.credentials.places import MODES, PLACES
from tests.emulator.devices.credentials.own_home import Home, answered, rows, statuses
from tests.emulator.devices.kit import messages, notes
from tests.sampling import examples

C, D, R = MessageCode, DeviceType, RemoteParty
#: Way to replace -> the role that it gives away here.
WAYS = {
    C.CS02B_SUPPLIER_BY_SUPPLIER: R.SUPPLIER,
    C.CS02B_SUPPLIER_BY_TCOS: R.SUPPLIER,
    C.CS02B_NO_BY_NO: R.NETWORK_OPERATOR,
    C.CS02B_ACB_BY_ACB: R.ACCESS_CONTROL_BROKER,
    C.CS02B_TCOS_BY_TCOS: R.TRANSITIONAL_COS,
    C.CS02B_ANY_BY_RECOVERY: R.TRANSITIONAL_COS,
}
POOL = [Eui64(bytes.fromhex(f"90b3d51f30aa000{n}")) for n in range(1, 4)]
HOUR = 3_600_000
ASKED = der.sequence(der.sequence(*Cell(2, wire.DIGITAL_SIGNATURE).nodes), der.sequence())


class CredentialsMachine(RuleBasedStateMachine):
    """A meter whose places change hands; the model is who must hold them with which keys."""

    @initialize(kind=st.sampled_from([D.ESME, D.GSME, D.GPF]))
    def build(self, kind: DeviceType) -> None:
        self.home = Home(kind)
        self.kind = kind
        self.waiting: dict[MessageCode, Any] = {}
        self.gone: set[Eui64] = set()

    def _changed(self, role: int, party: Eui64, new: Any) -> None:
        old = self.home.parties[role]
        self.gone = self.gone - {party} | ({old} - {party})
        self.home.moved_to(role, party, new)
        for code in list(self.waiting):
            if MODES[code].authoriser == role and self.waiting[code][0] != party:
                self.waiting[code] = (*self.waiting[code][:2], "dropped", *self.waiting[code][3:])

    @rule(code=st.sampled_from(sorted(WAYS)), party=st.sampled_from(POOL))
    def replace_now(self, code: MessageCode, party: Eui64) -> None:
        role = WAYS[code]
        if party in self.home.parties.values() and self.home.parties[role] != party:
            return
        new = self.home.rows_for(role, party)
        effects = self.home.replace(code, new, floors={role: 100})
        assert statuses(answered(effects)) == [0] * len(new)
        if self.home.parties[role] != party:
            self.home.counters[party] = 1000
        self._changed(role, party, new)

    @rule(code=st.sampled_from(sorted(WAYS)), hours=st.integers(1, 5))
    def replace_later(self, code: MessageCode, hours: int) -> None:
        role = WAYS[code]
        party = self.home.parties[role]
        new = self.home.rows_for(role, party)
        at = UtcMs(self.home.now + hours * HOUR)
        effects = self.home.replace(code, new, at=at)
        room = (
            len(set(self.waiting) - {code}) < self.home.device.profile.limits.future_dated_commands
        )
        if not room:
            assert statuses(answered(effects)) == [30] * len(new)
            return
        assert answered(effects) == der.sequence(der.NULL)
        authoriser = self.home.parties[MODES[code].authoriser or 0]
        self.waiting.pop(code, None)
        self.waiting[code] = (authoriser, at, "due", party, new)

    @rule(code=st.sampled_from(sorted(WAYS)))
    def cancel(self, code: MessageCode) -> None:
        role = WAYS[code]
        new = self.home.rows_for(role, self.home.parties[role])
        effects = self.home.replace(code, new, at=CANCEL_TIME)
        assert answered(effects) == der.sequence(der.NULL)
        self.waiting.pop(code, None)

    @rule(code=st.sampled_from(sorted(WAYS)))
    def fail(self, code: MessageCode) -> None:
        """Certificates in each other's places replace nobody."""
        role = WAYS[code]
        new = self.home.rows_for(role, POOL[0])
        if len(new) < 2:
            return
        turned = [(new[1][0], new[0][1]), (new[0][0], new[1][1]), *new[2:]]
        effects = self.home.replace(code, turned)
        assert statuses(answered(effects))[:2] == [5, 5]

    @rule(place=st.one_of(st.just(-1), st.integers(0, 40)))
    def replay(self, place: int) -> None:
        if self.home.given:
            self.home.replay(place)

    @rule()
    def cycle_power(self) -> None:
        self.home.power_cycle()
        self.replay(-1)

    @precondition(lambda self: self.waiting)
    @rule()
    def let_time_pass(self) -> None:
        device = self.home.device
        at = min(one[1] for one in self.waiting.values())
        assert self.home.made.timers.get(device.trust_timer) == at
        self.home.now = at
        due = {code: one for code, one in self.waiting.items() if one[1] == at}
        sent = messages(self.home.made.handle(DeviceEvent.TIMER, device.trust_timer, at))
        carried = 0
        for code, (_, _, state, party, new) in due.items():
            del self.waiting[code]
            if state == "due":
                carried += 1
                self._changed(WAYS[code], party, new)
        assert len(sent) == carried

    @rule()
    def the_gone_are_refused(self) -> None:
        for who in self.gone - set(self.home.parties.values()):
            message = self.home.sealed(C.CS02F, ASKED, who, self.home.counter(who) + 100_000)
            [refused] = notes(self.home.give(message), "message_refused")
            assert refused["reason"] in {"originator_role", "unknown_signer", "bad_mac",
                                         "no_mac_key"}  # fmt: skip

    @invariant()
    def the_holders_are_those_of_the_model(self) -> None:
        device = self.home.device
        for cell in PLACES[self.kind]:
            if cell.role not in self.home.parties:
                continue
            party = self.home.parties[cell.role]
            usage = {wire.DIGITAL_SIGNATURE: "DS", wire.KEY_AGREEMENT: "KA"}[cell.usage]
            entry = next(
                e
                for e in self.home.keys.entries()
                if (e.eui64, e.usage.value, e.prepayment) == (party, usage, cell.is_prepayment)
            )
            assert holder(device, cell) == wire.Holder(party, key_identifier(entry))

    @invariant()
    def the_supplier_is_obeyed(self) -> None:
        supplier = self.home.parties[R.SUPPLIER]
        assert rows(self.home.ask(C.CS02F, ASKED, R.SUPPLIER)) == ()
        assert self.home.device.network.supplier(self.home.eui64) == supplier


def test_credentials_change_hands_as_the_model_says() -> None:
    run_state_machine_as_test(
        CredentialsMachine,
        settings=settings(max_examples=examples(60), stateful_step_count=10, deadline=None),
    )
