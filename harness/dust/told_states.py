"""States and orders that were told against what the meter shows: supply, credit, mode, versions.

Source:
    stand-in: the illustrative devices' objects and event codes (``dmves.csv``, serial-dlms.md);
    how far a balance may move between answer and look: invented.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import iso
from harness.dust.told import Differs, Shown, Whose, whole
from harness.dust.told_looked import Looked, decimal, name_of, of_events
from harness.dust.told_readings import around
from harness.formats.duis import smets1_bodies as bodies
from harness.migration.observing import firmware_text

_ACCOUNT, _CREDIT, _SWITCH, _DATA = 111, 112, 70, 1
#: What a meter enters into its event log. Source: stand-in (every maker has a list of its own).
_OPENED, _CLOSED, _READY = 20, 21, 22
_TOPPED_UP, _MODE_CHANGED, _PRICED, _CLOCK_TO = 31, 34, 35, 5
#: Service -> what a meter enters into its event log when it has done that.
_ENTERS: Final[Mapping[str, int]] = {
    "1.1.1": _PRICED,
    "2.2": _TOPPED_UP,
    "6.11": _CLOCK_TO,
    "7.1": _CLOSED,
    "7.2": _OPENED,
}
#: By how much an entry's time may lie beside that of the answer. Source: invented.
_BESIDE_MS: Final = 60_000
#: What a Wh, or a dm3, costs at most, in 1/1000 pence. Source: invented.
_DEAREST: Final = 200
#: What a day costs at most beside that, likewise.
_A_DAY: Final = 500_000
_DAY_MS: Final = 86_400_000
_MODES: Final = {1: "credit", 2: "prepayment"}
_FLOWS: Final = {True: "Enabled", False: "Disabled"}


# -- supply ---------------------------------------------------------------------------------------


def of_supply(looked: Looked) -> tuple[Attribute, ...]:
    """Return what is read for 7.4: the switch, and the events that tell of it."""
    return (*whole(looked.reads(_SWITCH)), *of_events(looked))


def supply(looked: Looked, shown: Shown) -> Iterator[Differs]:
    """Yield where the supply state that was told is not what the events made of the switch."""
    told, switch = looked.answer.text("SupplyState"), looked.value(_SWITCH)
    moved = [(at, code) for at, code in looked.entries(shown) if code in {_OPENED, _CLOSED, _READY}]
    data = shown.data(switch)
    now = None if data is None else bool(data.value)
    last = moved[-1][1] == _CLOSED if moved else None
    if switch is not None and now is not None and last is not None and now is not last:
        seen = f"{_FLOWS[last]} by its event log since {iso(moved[-1][0])}"
        yield Differs(f"switch {name_of(switch)}", _FLOWS[now], seen, Whose.DEVICE)
    before = [code for at, code in moved if at <= looked.answer.at]
    was = before[-1] == _CLOSED if before else None
    if was is None and moved:
        was = moved[0][1] != _CLOSED
    due = now if was is None else was
    if due is not None and told != _FLOWS[due]:
        lied = last is not None and now is not last
        whose = Whose.DEVICE if lied else Whose.S1SP if was is None else Whose.OPEN
        source = "its switch" if was is None else "its event log"
        yield Differs("supply state", told or "nothing", f"{_FLOWS[due]} by {source}", whose)


# -- credit ---------------------------------------------------------------------------------------


def of_balance(looked: Looked) -> tuple[Attribute, ...]:
    """Return what is read for 4.18: the balance, and what was used since."""
    total = () if looked.total is None else (looked.total,)
    return (*whole((*looked.reads(_CREDIT), *total)), *around(looked), *of_events(looked))


def balance(looked: Looked, shown: Shown) -> Iterator[Differs]:
    """Yield a balance that use and top-ups since then do not account for."""
    told, where = decimal(looked.answer.text("MeterBalance")), looked.value(_CREDIT)
    now = shown.number(where)
    if where is None or now is None:
        return
    used = _used_since(looked, shown)
    spent = used * _DEAREST + _A_DAY * (1 + (shown.at - looked.answer.at) // _DAY_MS)
    since = [
        1 for at, code in looked.entries(shown) if code == _TOPPED_UP and at > looked.answer.at
    ]
    low, high = (None if since else now), now + spent
    if told is None or told > high or (low is not None and told < low):
        seen = f"{now} at {iso(shown.at)} ({name_of(where)})"
        yield Differs("balance", "nothing" if told is None else f"{told:f}", seen, Whose.S1SP)


def _used_since(looked: Looked, shown: Shown) -> int:
    total, table = looked.total, looked.profile
    now = shown.number(total)
    if total is None or table is None or now is None:
        return 0
    before = [value for at, value in shown.rows(table, total) if at <= looked.answer.at]
    return now - max(before) if before else now


# -- orders ---------------------------------------------------------------------------------------


def of_order(looked: Looked) -> tuple[Attribute, ...]:
    """Return what is read for an order: the events that tell that it was carried out."""
    return of_events(looked)


def order(looked: Looked, shown: Shown) -> Iterator[Differs]:
    """Yield an order that was told to be done, and of which the event log knows nothing."""
    if looked.events is None or shown.data(looked.events) is None:
        return
    code = _ENTERS[looked.answer.service]
    if not _entered(looked, shown, code):
        when = f"{iso(looked.answer.asked_at)} to {iso(looked.answer.at)}"
        seen = f"no entry {code} of {when} in its event log"
        yield Differs(looked.answer.service, "done", seen, Whose.DEVICE)


def _entered(looked: Looked, shown: Shown, code: int) -> bool:
    answer = looked.answer
    first, last = answer.asked_at - _BESIDE_MS, answer.at + _BESIDE_MS
    return any(one == code and first <= at <= last for at, one in looked.entries(shown))


def of_mode(looked: Looked) -> tuple[Attribute, ...]:
    """Return what is read for 1.6: the account's mode, and the changes of it."""
    return (*whole(looked.reads(_ACCOUNT)), *of_events(looked))


def mode(looked: Looked, shown: Shown) -> Iterator[Differs]:
    """Yield a payment mode that was ordered, and told to be set, and that the meter is not in.

    A mode that was changed again since then must have been entered into the event log twice.
    """
    request, where = looked.answer.request, looked.value(_ACCOUNT)
    if not isinstance(request, bodies.UpdatePaymentMode) or where is None:
        return
    wanted = "prepayment" if isinstance(request.mode, bodies.Prepayment) else "credit"
    found = _mode_of(shown.data(where))
    if not found or found == wanted:
        return
    later = [at for at, code in looked.entries(shown) if code == _MODE_CHANGED]
    if not any(at > looked.answer.at for at in later):
        yield Differs("payment mode", f"{wanted} set", f"{found} ({name_of(where)})", Whose.DEVICE)


def _mode_of(data: Data | None) -> str:
    held = None if data is None else data.value
    first = held[0].value if isinstance(held, tuple) and held else held
    return _MODES.get(first, "") if isinstance(first, int) else ""


# -- versions -------------------------------------------------------------------------------------


def of_version(looked: Looked) -> tuple[Attribute, ...]:
    """Return what is read for 11.2; a device without a server of its own is not read."""
    return whole(looked.reads(_DATA))


def version(looked: Looked, shown: Shown) -> Iterator[Differs]:
    """Yield a firmware version that was told and that the device does not show."""
    where = next(iter(looked.reads(_DATA)), None)
    data = shown.data(where)
    told = looked.answer.text("FirmwareVersion").upper()
    if where is not None and data is not None and told != firmware_text(data):
        seen = f"{firmware_text(data)} ({name_of(where)})"
        yield Differs("firmware version", told or "nothing", seen, Whose.S1SP)
