"""Which services' answers are compared with what the device shows, and by which rule."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from emulator.codecs.dlms.apdu_parts import Attribute
from harness.dust import told_readings as readings
from harness.dust import told_states as states
from harness.dust.told import Differs, Shown
from harness.dust.told_looked import Looked

Wants = Callable[[Looked], tuple[Attribute, ...]]
Judges = Callable[[Looked, Shown], Iterator[Differs]]
_ORDER: Final = (states.of_order, states.order)
#: Service -> what is read of the device, and how the two compare.
RULES: Final[Mapping[str, tuple[Wants, Judges]]] = MappingProxyType(
    {
        "1.1.1": _ORDER,
        "1.6": (states.of_mode, states.mode),
        "2.2": _ORDER,
        "4.1.1": (readings.of_register, readings.register),
        "4.8.1": (readings.of_profile, readings.profile),
        "4.18": (states.of_balance, states.balance),
        "6.11": _ORDER,
        "6.13": (readings.of_log, readings.log),
        "7.1": _ORDER,
        "7.2": _ORDER,
        "7.4": (states.of_supply, states.supply),
        "8.9": (readings.of_hub_log, readings.hub_log),
        "11.2": (states.of_version, states.version),
    }
)
