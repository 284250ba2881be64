"""Named defects of those who answer service users: what is told is not what a device said."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from harness.formats.duis.inventory_contents import Inventory
from harness.formats.duis.smets1_contents import Node, Result

_MORE: Final = 1_000
_HALF_HOUR: Final = {"00:": "30:", "30:": "00:"}
_ENTRY: Final = "LogEntry"


@dataclass(frozen=True, slots=True)
class TellingDefect:
    """One way in which a user is told something else.

    Attributes:
        sentence: Who tells what.
        path: The method, from the parties of the time after migration on.
        wrong: What makes a wrong one of the right one.
    """

    sentence: str
    path: str
    wrong: Callable[[Any], Any]


def _tells(change: Callable[[Node], Node | None]) -> Callable[[Any], Any]:
    """Return what alters every element of an answer, from within; None takes it out."""

    def wrong(right: Callable[..., Awaitable[Result]]) -> Callable[..., Awaitable[Result]]:
        async def result(*args: Any) -> Result:
            told = await right(*args)
            return replace(told, values=_altered(told.values, change))

        return result

    return wrong


def _altered(nodes: tuple[Node, ...], change: Callable[[Node], Node | None]) -> tuple[Node, ...]:
    inside = (replace(one, children=_altered(one.children, change)) for one in nodes)
    return tuple(one for one in map(change, inside) if one is not None)


def _text(name: str, change: Callable[[str], str]) -> Callable[[Any], Any]:
    """Return what alters the text of the elements of one name."""

    def alter(node: Node) -> Node:
        return replace(node, text=change(node.text)) if node.name == name else node

    return _tells(alter)


def _number_on(text: str) -> str:
    whole, point, rest = text.partition(".")
    return f"{int(whole) + _MORE}{point}{rest}"


def _half_hour_off(text: str) -> str:
    return text[:14] + _HALF_HOUR.get(text[14:17], text[14:17]) + text[17:]


def _last_left_out(node: Node) -> Node:
    """Leave the last entry of a list out."""
    entries = [one for one in node.children if one.name == _ENTRY]
    return replace(node, children=node.children[:-1]) if entries else node


def _other_state(text: str) -> str:
    return "Disabled" if text == "Enabled" else "Enabled"


def _older(text: str) -> str:
    return f"0{text[1:]}" if text[:1] != "0" else f"1{text[1:]}"


def _older_inventory(right: Callable[..., Any]) -> Callable[..., Any]:
    def respond(asked: Any, code: Any, *content: Any) -> Any:
        return right(asked, code, *(_aged(one) for one in content))

    return respond


def _aged(content: Any) -> Any:
    if not isinstance(content, Inventory):
        return content
    devices = (
        replace(one, firmware_version=_older(one.firmware_version or "1"))
        for one in content.devices
    )
    return Inventory(tuple(devices))


_DESK: Final = "desk._result"
#: Every defect by name.
DEFECTS: Final[Mapping[str, TellingDefect]] = MappingProxyType(
    {
        "s1sp-tells-another-register": TellingDefect(
            "the S1SP adds 1,000 to every register it tells", _DESK, _text("Value", _number_on)
        ),
        "s1sp-tells-rows-of-another-time": TellingDefect(
            "the S1SP tells the rows of profiles and logs with other times",
            _DESK,
            _text("Timestamp", _half_hour_off),
        ),
        "s1sp-leaves-an-entry-out": TellingDefect(
            "the S1SP leaves the last entry of every log out", _DESK, _tells(_last_left_out)
        ),
        "s1sp-tells-another-supply": TellingDefect(
            "the S1SP tells that supply is on where it is off",
            _DESK,
            _text("SupplyState", _other_state),
        ),
        "s1sp-tells-another-balance": TellingDefect(
            "the S1SP tells less credit than there is",
            _DESK,
            _text("MeterBalance", lambda text: str(int(text) - 1000 * _MORE)),
        ),
        "s1sp-tells-another-version": TellingDefect(
            "the S1SP tells another firmware version than the device",
            _DESK,
            _text("FirmwareVersion", _older),
        ),
        "dsp-shows-old-versions": TellingDefect(
            "the DSP's inventory shows versions that no device runs",
            "dsp.respond",
            _older_inventory,
        ),
    }
)
