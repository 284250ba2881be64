"""Draws docs/state-machines.md from the transition tables of the code."""

import sys
from pathlib import Path

from emulator.devices.chf import delivery_table
from emulator.devices.ota_table import RESTING, TRANSITIONS

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "state-machines.md"
HEAD = """# State machines

Drawn from the transition tables of the code (`python -m tests.docs.state_machines`); a test
compares. What is not drawn is refused: a peer's frame out of place is noted and changes nothing.
"""
CLIENT = """
## OTA client (every device that takes firmware)

`emulator/devices/ota_table.py`. REST is the resting state a download began in: IDLE,
VERIFIED_PENDING, REJECTED or ACTIVE; an image that waits for its activation stays while a newer
one is downloaded.
"""
SERVER = """
## OTA server (the CHF), one machine for each target of an image

`emulator/devices/chf/delivery_table.py`.
"""


def client_arrows() -> list[str]:
    """Arrows of the client, the four resting states drawn as one."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), (_, target) in TRANSITIONS.items():
        source = "REST" if state in RESTING else state.value
        goal = "REST" if target is None else target.value
        if target is not None and target in RESTING:
            goal = target.value
        if source == goal:
            continue
        events = arrows.setdefault((source, goal), [])
        if event.value not in events:
            events.append(event.value)
    return _lines(arrows)


def server_arrows() -> list[str]:
    """Arrows of the server."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), (_, target) in delivery_table.TRANSITIONS.items():
        if state is not target:
            arrows.setdefault((state.value, target.value), []).append(event.value)
    return _lines(arrows)


def _lines(arrows: dict[tuple[str, str], list[str]]) -> list[str]:
    return [
        f"  {source} --> {goal}: {', '.join(events)}" for (source, goal), events in arrows.items()
    ]


def render() -> str:
    """The whole page."""
    drawn = [HEAD]
    for text, arrows in ((CLIENT, client_arrows()), (SERVER, server_arrows())):
        drawn += [text, "\n```mermaid\nstateDiagram-v2\n", "\n".join(arrows), "\n```\n"]
    return "".join(drawn)


if __name__ == "__main__":
    sys.stdout.write(render())
