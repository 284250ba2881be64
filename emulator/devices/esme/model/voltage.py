"""The supply voltage of an ESME: disturbances, averages over and under their thresholds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, SetTimer
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.saved import Saved, State

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme
    from emulator.devices.esme.model.model import EsmeModel

#: Timer of the next look at the voltage.
VOLTAGE_TIMER: Final = "model.voltage"
#: Undisturbed voltage stays within these volts. Source: consumption's stand-in.
_USUAL: Final = (226, 234)
_MINUTE_MS: Final = 60_000
_MOST_SPANS: Final = 16
_WRAP: Final = 1 << 32
_C = EventCode
#: Stem of a threshold's name, whether it is an upper one, event of its crossing and of its end.
_EXTREMES: Final = (
    ("extreme_over_voltage", True, _C.EXTREME_OVER_VOLTAGE, _C.EXTREME_OVER_VOLTAGE_ENDED),
    ("voltage_swell", True, _C.VOLTAGE_SWELL, _C.VOLTAGE_SWELL_ENDED),
    ("extreme_under_voltage", False, _C.EXTREME_UNDER_VOLTAGE, _C.EXTREME_UNDER_VOLTAGE_ENDED),
    ("voltage_sag", False, _C.VOLTAGE_SAG, _C.VOLTAGE_SAG_ENDED),
)
_AVERAGES: Final = (
    ("over_voltage", True, _C.AVERAGE_OVER_VOLTAGE, _C.AVERAGE_OVER_VOLTAGE_ENDED),
    ("under_voltage", False, _C.AVERAGE_UNDER_VOLTAGE, _C.AVERAGE_UNDER_VOLTAGE_ENDED),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A disturbance: the voltage from a moment on; 0 mV ends it."""

    since: UtcMs
    millivolts: int


class Voltage:
    """Disturbances of one meter's supply, and which conditions hold.

    Attributes:
        spans: Disturbances, oldest first.
        held: Conditions that were told of and still hold.
    """

    __slots__ = ("held", "spans")

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.held: set[str] = set()

    def disturbance(self, at: UtcMs) -> int:
        """Return the disturbed voltage at a moment in mV; 0 where it is undisturbed."""
        past = [span for span in self.spans if span.since <= at]
        return past[-1].millivolts if past else 0

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "spans": [[span.since, span.millivolts] for span in self.spans],
            "held": [*sorted(self.held)],
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.spans = [Span(UtcMs(at), mv) for at, mv in saved.pairs("spans")]
        self.held = set(saved.texts("held"))


def millivolts(model: "EsmeModel", at: UtcMs, phase: int = 1) -> int:
    """Return the voltage of a phase at a moment."""
    disturbed = model.voltage.disturbance(at)
    return disturbed or model.consumption.voltage_mv(UtcMs(at + phase - 1))


def disturb(device: "Esme", volts: int, now: UtcMs) -> list[Effect]:
    """Let the supply have another voltage from now on; 0: as usual again."""
    voltage = device.model.voltage
    voltage.spans = [*voltage.spans, Span(now, volts * 1000)][-_MOST_SPANS:]
    return wait(device, now)


def look(device: "Esme", now: UtcMs) -> list[Effect]:
    """Tell of what began or ended to hold, and plan the next look."""
    effects: list[Effect] = []
    for stem, upper, begun, ended in _EXTREMES:
        since = _changed(device.model, stem, now, upper=upper)
        period_ms = 1000 * device.model.store.number(f"{stem}_period_s")
        if since is None or now < since + period_ms:
            continue
        effects += _turned(device, stem, begun, ended, now)
    for phase in range(1, device.model.store.number("phases", 1) + 1):
        effects += _look_at_average(device, phase, now)
    return [*effects, *wait(device, now)]


def _look_at_average(device: "Esme", phase: int, now: UtcMs) -> list[Effect]:
    model = device.model
    period_ms = _average_period_ms(model, phase)
    if now % period_ms:
        return []
    average = average_v(model, UtcMs(now - period_ms), now, phase)
    shift = 0 if model.store.number("phases", 1) == 1 else phase
    effects: list[Effect] = []
    for stem, upper, begun, ended in _AVERAGES:
        threshold = model.store.number(f"{stem}_threshold_{phase}_v")
        beyond = average > threshold if upper else average < threshold
        if beyond is (f"{stem}_{phase}" in model.voltage.held):
            continue
        if beyond:
            name = f"{stem}_counter_{phase}"
            model.store.put(name, Data(Tag.UINT32, (model.store.number(name) + 1) % _WRAP))
        effects += _turned(device, f"{stem}_{phase}", begun + shift, ended + shift, now)
    return effects


def _turned(device: "Esme", name: str, begun: int, ended: int, now: UtcMs) -> list[Effect]:
    """Tell that a condition began, or ended where it was told of before."""
    held = device.model.voltage.held
    code = ended if name in held else begun
    held ^= {name}
    return happened(device, code, "", now)


def average_v(model: "EsmeModel", since: UtcMs, until: UtcMs, phase: int = 1) -> int:
    """Return the mean of a period's minutes in volts, rounded down."""
    minutes = range(since, until, _MINUTE_MS)
    values = [millivolts(model, UtcMs(at), phase) for at in minutes]
    return sum(values) // max(len(values), 1) // 1000


def _changed(model: "EsmeModel", stem: str, now: UtcMs, *, upper: bool) -> UtcMs | None:
    """Return since when a condition is other than it was told; None where it is not."""
    told = stem in model.voltage.held
    threshold = 1000 * model.store.number(f"{stem}_threshold_v")

    def holds(span: Span) -> bool:
        beyond = span.millivolts > threshold if upper else span.millivolts < threshold
        return bool(span.millivolts) and beyond

    since: UtcMs | None = None
    for span in reversed([one for one in model.voltage.spans if one.since <= now]):
        if holds(span) is told:
            break
        since = span.since
    return since


def wait(device: "Esme", now: UtcMs) -> list[Effect]:
    """Set the timer to the next look; an undisturbed meter with usual thresholds sets none."""
    model = device.model
    times = []
    for stem, upper, *_ in _EXTREMES:
        since = _changed(model, stem, now, upper=upper)
        if since is not None:
            times.append(since + 1000 * model.store.number(f"{stem}_period_s"))
    for phase in range(1, model.store.number("phases", 1) + 1):
        if model.voltage.disturbance(now) or _reachable(model, phase):
            period_ms = _average_period_ms(model, phase)
            times.append(now - now % period_ms + period_ms)
    if not times:
        return [CancelTimer(VOLTAGE_TIMER)] if VOLTAGE_TIMER in device.timers else []
    at = UtcMs(max(min(times), now))
    return [SetTimer(VOLTAGE_TIMER, at)]


def _reachable(model: "EsmeModel", phase: int) -> bool:
    """Say whether averages may cross a threshold, or an end is still to be told of."""
    over = model.store.number(f"over_voltage_threshold_{phase}_v")
    under = model.store.number(f"under_voltage_threshold_{phase}_v")
    held = {f"over_voltage_{phase}", f"under_voltage_{phase}"} & model.voltage.held
    return over < _USUAL[1] or under > _USUAL[0] or bool(held)


def _average_period_ms(model: "EsmeModel", phase: int) -> int:
    return 1000 * max(model.store.number(f"voltage_period_{phase}_s"), 60)
