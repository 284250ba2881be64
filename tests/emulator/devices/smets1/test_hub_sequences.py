"""F-114: random sequences of stage, serve, query, activate, power-cycle and cancel on a home."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from emulator.codecs.dlms.apdu_parts import DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.hub_image import OUTCOMES, DistributionRow, ImageTicket, Stage
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.devices.chf.delivery_table import OPEN
from tests.emulator.devices.smets1.image_home import (
    ESME,
    GSME,
    HUB,
    NEW,
    PPMID,
    ROLES,
    TACTICAL,
    ImageHome,
    image_for,
)

HUB_MODEL: Final = "demo-s1-chf-ioc"
MODELS: Final = {
    ESME: "demo-s1-esme",
    GSME: "demo-s1-gsme",
    PPMID: "demo-s1-ppmid",
    HUB: HUB_MODEL,
}
TARGETS: Final = [*MODELS]
OLD: Final = 0x10000001
BATCH: Final = 10
#: All of the sequences of F-114; ``make test`` plays a share of them.
WHOLE: Final = 1_000
STEPS: Final = 14
FLAWS: Final = ("", "", "", "layout", "hardware", "type", "version", "malformed")
_WAITS: Final = (0.5, 3.0, 20.0, 90.0, 1_900.0, 7_300.0)


@dataclass
class Story:
    """One sequence, and what must have come of it."""

    seed: int
    home: ImageHome
    draw: Stream
    staged: list[tuple[Eui64, int, bool]] = field(default_factory=list)
    told: list[DistributionRow] = field(default_factory=list)
    offered: Counter[str] = field(default_factory=Counter)
    allowed: set[tuple[Eui64, int]] = field(default_factory=set)

    def pick(self, choices: list[Eui64]) -> Eui64:
        return choices[self.draw.below(len(choices))]

    # -- steps ---------------------------------------------------------------------------------

    def stage(self) -> None:
        """Hand the hub an image, whole or not, good or flawed, perhaps to replace another."""
        target, version = self.pick(TARGETS), NEW + self.draw.below(3)
        flaw = FLAWS[self.draw.below(len(FLAWS))]
        octets = _image(target, version, flaw)
        named = version + 1 if flaw == "version" else version
        ticket = ImageTicket(target, named, force_replace=bool(self.draw.below(2)))
        taken = self.home.initiate(ticket, len(octets))
        if taken is None:
            return
        blocks = self.home.blocks(octets, until=1 if self.draw.below(6) == 0 else None)
        if blocks and self.draw.below(8):
            self.home.method("verify", _ZERO)
        if not flaw:
            self.staged.append((target, version, True))

    def oversize(self) -> None:
        """Offer an image that no hub of this model has room for."""
        target = self.pick(TARGETS)
        limit = self.home.hub.images.store.limit_bytes
        self.home.initiate(ImageTicket(target, NEW + 9), limit + 1)

    def serve(self) -> None:
        """Let time pass: blocks are served, sleepers wake, restarts end."""
        self.home.pass_s(_WAITS[self.draw.below(len(_WAITS))])

    def query(self) -> None:
        """Somebody reads the distribution log."""
        if self.home.world.box(HUB).powered:
            self.home.read_log()

    def activate(self) -> None:
        """Have a target start its image, by the way it has: mostly one that has an image."""
        holding = [one for one in TARGETS if self._waiting(one) is not None]
        target = self.pick(holding if holding and self.draw.below(5) else TARGETS)
        version = self._waiting(target)
        if not self.home.world.box(target).powered:
            return
        if target == HUB:
            self.home.activate_hub()
        elif target == PPMID:
            for row in self.home.log():
                waits = row.ticket.target == PPMID and row.stage is Stage.DONE
                if waits and self.home.order(row.ticket) is DataAccessResult.SUCCESS:
                    self.allowed.add((PPMID, row.ticket.file_version))
            return
        else:
            self.home.activate_meter(target)
        if version is not None:
            self.allowed.add((target, version))

    def power_cycle(self) -> None:
        """Take the supply from a device for a while."""
        self.home.world.cut_power(self.pick(TARGETS), (1.0, 40.0, 2_000.0)[self.draw.below(3)])
        self.home.pass_s(0.1)

    def cancel(self) -> None:
        """Give up an image, whatever became of it."""
        rows = self.home.log()
        if rows:
            ticket = rows[self.draw.below(len(rows))].ticket
            self.home.order(ImageTicket(ticket.target, ticket.file_version, cancel=True))

    # -- what must hold ------------------------------------------------------------------------

    def _waiting(self, target: Eui64) -> int | None:
        home = self.home
        if target == PPMID:
            waiting = home.display.images.waiting
            return None if waiting is None else int.from_bytes(waiting, "big")
        server = home.hub if target == HUB else home.meter(target)
        header = server.image.header_to_run()
        return None if header is None else header.file_version

    def check(self) -> None:
        """The four invariants, at any moment."""
        where = f"seed {self.seed}"
        home, images = self.home, self.home.hub.images
        self.told += home.notices()
        held = Counter(target for one in images.store.held.values() for target in one.targets)
        assert all(number == 1 for number in held.values()), where
        for target in TARGETS:
            under_way = [
                row
                for row in home.log()
                if row.ticket.target == target and row.stage not in OUTCOMES
            ]
            delivery = images.server.deliveries.get(target)
            is_open = delivery is not None and delivery.state in OPEN
            assert len(under_way) <= 2, where  # one held, one coming in to replace it
            assert len([row for row in under_way if row.stage is not Stage.STAGING]) == int(
                is_open
            ), where
            self._check_version(target, where)
        self._check_outcomes(where)

    def _check_version(self, target: Eui64, where: str) -> None:
        running = self.home.running(target)
        right = running == OLD or (target, running) in self.allowed
        assert right, f"{where}: {ROLES[target]} runs {running:08X} unasked"
        waiting = self._waiting(target)
        good = {version for device, version, fits in self.staged if device == target and fits}
        if waiting is not None and target != HUB:
            server_fits = waiting in good
            assert server_fits, f"{where}: {ROLES[target]} holds {waiting:08X}"

    def _check_outcomes(self, where: str) -> None:
        told = {(row.ticket, row.stage, row.reason, row.since) for row in self.told}
        for fact in self.home.world.records.take_facts():
            if fact.kind == "image_discarded" and fact.device == HUB:
                self.offered["discarded"] += 1
        for entry in self.home.hub.images.log.entries:
            row = entry.row()
            if entry.over and entry.told is False:
                continue  # it will be told again until somebody reads it
            if row.stage in OUTCOMES and not entry.told:
                assert (row.ticket, row.stage, row.reason, row.since) in told, where

    def at_the_end(self) -> None:
        """All comes to rest; every outcome has been told; what was discarded has a row."""
        self.home.pass_s(2 * 86_400)
        self.check()
        images = self.home.hub.images
        where = f"seed {self.seed}"
        stuck = [row for row in self.home.log() if row.stage not in OUTCOMES]
        assert all(row.stage is Stage.STAGING for row in stuck), where
        assert images.store.held == {}, where
        heard = {(row.ticket, row.stage, row.since) for row in self.told}
        for row in self.home.read_log():
            if row.final:
                assert (row.ticket, row.stage, row.since) in heard, f"{where}: {row}"


def _image(target: Eui64, version: int, flaw: str) -> bytes:
    layout = "demo-s1-chf-sec" if flaw == "layout" else HUB_MODEL
    header = {
        "hardware": {"minimum_hardware": 0x0700, "maximum_hardware": 0x0700},
        "type": {"image_type": 0x0777},
    }.get(flaw, {})
    made = _cached(target, version, layout, tuple(header.items()))
    return b"\0" * len(made) if flaw == "malformed" else made


_CACHE: dict[object, bytes] = {}


def _named(header: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    return dict(header)


def _cached(target: Eui64, version: int, layout: str, header: tuple[tuple[str, int], ...]) -> bytes:
    key = (target, version, layout, header)
    if key not in _CACHE:
        _CACHE[key] = image_for(
            ROLES[target], MODELS[target], version, layout=layout, **_named(header)
        )
    return _CACHE[key]


_ZERO: Final = Data(Tag.INT8, 0)
_STEPS: Final = (
    *("stage",) * 5,
    *("serve",) * 6,
    *("activate",) * 3,
    "query",
    "power_cycle",
    "cancel",
    "oversize",
)


def play(seed: int) -> Story:
    """Play one sequence and hold it to the invariants after every step."""
    home = ImageHome(HUB_MODEL, mode=TACTICAL, seed=seed)
    story = Story(seed, home, Stream(seed, "F-114"))
    for _ in range(STEPS):
        getattr(story, _STEPS[story.draw.below(len(_STEPS))])()
        story.check()
    story.at_the_end()
    return story


@pytest.mark.parametrize(
    "batch",
    [pytest.param(n, marks=[pytest.mark.soak] if n else []) for n in range(WHOLE // BATCH)],
)
def test_no_sequence_breaks_an_invariant(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        play(seed)


def test_sequences_reach_every_stage_and_most_reasons() -> None:
    """The sequences are worth something: they deliver, discard, replace, cancel and activate."""
    rows = [row for seed in range(2_000, 2_010) for row in play(seed).told]
    assert {row.stage for row in rows} >= {
        Stage.DONE,
        Stage.DISCARDED,
        Stage.ABORTED,
        Stage.ACTIVATED,
    }
    reasons = {row.reason.kind for row in rows}
    assert reasons >= {"none", "size", "metadata", "replaced", "malformed"}
