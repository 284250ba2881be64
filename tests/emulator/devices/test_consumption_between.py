"""What a register counts between two instants is the difference of its readings, whatever comes."""

from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.devices.consumption import DAY_MS, HALF_HOUR_MS, Consumption, Kind

START = UtcMs(20_000 * DAY_MS)
CASES = 300
_SPANS = (0, 1, HALF_HOUR_MS // 3, HALF_HOUR_MS, DAY_MS, DAY_MS + 17)


def _disturbed(chance: Stream) -> Consumption:
    made = Consumption(7, "between", START)
    at = START
    for _interruption in range(chance.below(4)):
        at = UtcMs(at + chance.below(2 * DAY_MS))
        made.interrupt("power", at)
        at = UtcMs(at + _SPANS[chance.below(len(_SPANS))])
        if chance.happens(0.8):
            made.restore("power", at)
    return made


def test_it_is_the_difference_of_two_readings() -> None:
    chance = Stream(1, "between")
    within_a_day = 0
    for _case in range(CASES):
        made = _disturbed(chance)
        since = UtcMs(START - DAY_MS + chance.below(7 * DAY_MS))
        span = (*_SPANS, chance.below(3 * DAY_MS))[chance.below(len(_SPANS) + 1)]
        since = UtcMs(since - since % (1, HALF_HOUR_MS, DAY_MS)[chance.below(3)])
        until = UtcMs(since + span)
        within_a_day += until <= (since // DAY_MS + 1) * DAY_MS
        for kind in Kind:
            counted = made.energy_wh(kind, until) - made.energy_wh(kind, since)
            assert made.energy_between_wh(kind, since, until) == counted
    assert CASES // 4 < within_a_day < CASES
