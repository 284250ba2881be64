"""Observations for people: tables and lines of text."""

from collections.abc import Sequence
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from harness.cli.tables import folded
from harness.han_ports import HanNetwork
from hil.zigbee_observation.census import Census
from hil.zigbee_observation.sights import named
from hil.zigbee_observation.spread import Spread, in_words, scale
from hil.zigbee_observation.transfers import Basis, Transfer
from hil.zigbee_observation.wakes import Wakes

#: Ends of the energy bar in dBm, and its length.
_QUIET_DBM: Final = -100
_LOUD_DBM: Final = -20
_BAR: Final = 20
_SIZES_WORDS: Final = (
    "* nothing was deciphered: a row of equal large frames in one direction, each after a smaller"
    " one of the other, looks like firmware; it may be something else"
)


def census_parts(census: Census) -> list[RenderableType]:
    """Return what a census found: networks, energy, and a line about the hub asked for."""
    parts: list[RenderableType] = [_networks(census)]
    if census.energy:
        parts.append(_energy(census))
    parts += [Text(line) for line in hub_lines(census)]
    return parts


def hub_lines(census: Census) -> list[str]:
    """Say whether the hub asked for is there, and whether it lets devices join."""
    if census.hub is None:
        return []
    if not census.found:
        how = "answered" if census.scanned else "was heard"
        return [f"hub {census.hub}: not found; no beacon with this extended PAN id {how}"]
    lines = [
        f"hub {census.hub}: channel {one.channel}, PAN 0x{one.pan_id:04X},"
        f" joining is {permission(one)}"
        for one in census.found
    ]
    if len(census.found) > 1:
        lines.append("more than one network claims this extended PAN id")
    return lines


def permission(network: HanNetwork) -> str:
    """Say whether joining is permitted, one word."""
    return "open" if network.permits else "closed"


def energy_bar(dbm: int) -> str:
    """Return energy as a bar of 20 characters, from -100 dBm (none) to -20 dBm (full)."""
    share = (dbm - _QUIET_DBM) / (_LOUD_DBM - _QUIET_DBM)
    full = min(_BAR, max(0, round(share * _BAR)))
    return "█" * full + "·" * (_BAR - full)


def wakes_parts(wakes: Sequence[Wakes]) -> list[RenderableType]:
    """Return the wake statistics of each node."""
    headings = ("node", "frames", "polls", "wakes", "min", "median", "max", "intervals")
    table = folded(*headings)
    for one in wakes:
        counts = map(str, (one.frames, one.polls, one.wakes))
        table.add_row(named(one.node), *counts, *_spread(one.intervals))
    return [table, Text(scale())] if wakes else [Text("no node was heard")]


def transfers_parts(transfers: Sequence[Transfer]) -> list[RenderableType]:
    """Return the firmware transfers: cadence, stalls, and what they are known by."""
    if not transfers:
        return [Text("no firmware transfer was seen")]
    headings = ("from > to", "image", "blocks", "repeats", "min", "median", "max", "cadence")
    table = folded(*headings)
    notes: list[str] = []
    for one in transfers:
        way = f"{named(one.sender)} > {named(one.receiver)}"
        image = one.image or f"{one.frame_bytes} octets *"
        table.add_row(way, image, str(one.blocks), str(one.repeats), *_spread(one.cadence))
        notes += [f"{way}: {line}" for line in _stalls(one)]
    if any(one.basis is Basis.SIZES for one in transfers):
        notes.append(_SIZES_WORDS)
    return [table, *(Text(note) for note in notes)]


def _networks(census: Census) -> RenderableType:
    if not census.networks:
        return Text("no beacon was heard")
    table = folded("extended PAN id", "PAN", "channel", "joining", "LQI", "dBm", "")
    for one in census.networks:
        table.add_row(
            str(one.extended_pan_id),
            f"0x{one.pan_id:04X}",
            str(one.channel),
            permission(one),
            str(one.lqi),
            str(one.rssi_dbm),
            "the hub asked for" if one.extended_pan_id == census.hub else "",
        )
    return table


def _energy(census: Census) -> RenderableType:
    table = folded("channel", "dBm", "energy")
    for channel, dbm in census.energy.items():
        table.add_row(str(channel), str(dbm), energy_bar(dbm))
    return table


def _spread(spread: Spread | None) -> tuple[str, str, str, str]:
    if spread is None:
        return "-", "-", "-", "-"
    lengths = (spread.least_us, spread.median_us, spread.most_us)
    least, median, most = (in_words(length) for length in lengths)
    return least, median, most, spread.bars


def _stalls(one: Transfer) -> list[str]:
    if not one.stalls:
        return []
    longest = max(stall.length_us for stall in one.stalls)
    count = len(one.stalls)
    return [f"{count} stall{'s' * (count > 1)}, the longest {in_words(longest)}"]
