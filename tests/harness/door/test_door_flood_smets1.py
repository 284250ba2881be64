"""A flood of SMETS1 hubs' alerts: from hub to participant through S1SP and DSP, none lost."""

import json
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from device_profiles.installation import Installation
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door.homes import Homes
from harness.door.kept import Refused, Taken
from harness.door.ports import Paper, PaperOutcome, TurnDone, TurnSheet
from harness.door.world import DoorWorld
from harness.formats.duis import s1sp_alert
from harness.formats.duis.alerts import S1spAlertPassed
from harness.formats.duis.responses import DccAlertMessage, read_response
from harness.migration.custody import S1SP
from harness.new_installations import Order, generate
from harness.parties.enrolment import enrol
from harness.parties.s1sp_desk_records import DeskRecord
from tests.harness.door.door_kit import opened


class Flooded:
    """Leads a run of one turn, during which every hub tells of trouble.

    The hubs are put on the S1SP's network, and the homes into its and the DSP's books, without the
    steps of a migration: they stand idle as migrated ones do.
    """

    def __init__(self, alerts: int, over_s: int) -> None:
        self.order = f"flood:alerts={alerts},over_s={over_s}"
        self.told_at: list[UtcMs] = []

    async def begin(self, world: DoorWorld) -> TurnSheet:
        homes, parties = world.smets1, world.smets1.world
        models: dict[str, DeviceProfile] = {}
        await world.advance(UtcMs(world.clock.now() + 60_000))
        for site in homes.course.sites.values():
            home = site.installation
            await site.hub().change_sim(S1SP)
            models |= {one.profile: load_profile(one.profile) for one in home.devices}
            for record in enrol(home, models):
                parties.dsp.inventory.put(record)
            hub = Eui64.parse(home.of(DeviceType.CHF)[0].eui64)
            parties.desk.enrol([DeskRecord(hub, DeviceType.CHF, hub, declared="", own_make=True)])
        await world.advance(UtcMs(world.clock.now() + 30 * 60_000))  # hubs attach
        world.disturb(self.order)
        return TurnSheet(1, "day")

    async def turn(self, _world: DoorWorld, _done: TurnDone) -> TurnSheet | None:
        return None

    def take(self, _paper: Paper) -> PaperOutcome:
        return PaperOutcome(True, "ok")

    def asked(self, _taken: Taken, _answer: bytes) -> None:
        """Nothing is made of it."""

    def refused(self, _refused: Refused) -> None:
        """Nothing is made of it."""

    def told(self, _user: Eui64, _document: bytes, at: UtcMs) -> None:
        self.told_at.append(at)

    def dump(self) -> Mapping[str, Any]:
        return {}

    def load(self, _world: DoorWorld, _state: Mapping[str, Any]) -> None:
        """Nothing is kept."""


SOON = """[dlms.wan]
attach_least_s = 60
attach_most_s = 120
retry_s = 300
contact_repeat_s = 300
"""


def attaching_soon(folder: Path, homes: tuple[Installation, ...]) -> Path:
    """An overlay by which hubs attach within minutes: hours of idle homes are not tested here."""
    (folder / "models").mkdir(parents=True)
    for name in {home.of(DeviceType.CHF)[0].profile for home in homes}:
        (folder / "models" / f"{name}.toml").write_text(SOON, "utf-8")
    return folder


def check_flood(folder: Path, hubs: int, alerts: int) -> tuple[float, float]:
    """Check a flood; returns the slowest GET (seconds) and the memory of the process (MB)."""
    homes = tuple(generate(Order(hubs, 5, "EA")))
    conductor = Flooded(alerts, 600)
    soon = (attaching_soon(folder / "soon", homes),)
    with opened(Homes((), homes, soon, migrated=False), folder, conductor=conductor) as here:
        seen: list[tuple[int, str]] = []
        slowest, over = 0.0, False
        while not over:
            over = here.door.at_rest  # asked first: what was told by then is on the page
            begun = time.monotonic()
            after = seen[-1][0] if seen else 0
            page = json.loads(here.http().ask("GET", f"/alerts?after={after}")[1])["alerts"]
            slowest = max(slowest, time.monotonic() - begun)
            assert here.door.broken is None
            assert len(page) <= 100
            seen += [(one["number"], one["code"]) for one in page]
            over = over and not page
        last = here.door.exchange.alerts(len(seen) - 1)[0]
    assert [number for number, _code in seen] == list(range(1, hubs * alerts + 1))
    assert {code for _number, code in seen} == {"N55"}
    assert len(conductor.told_at) == hubs * alerts
    told = read_response(last.document).body
    assert isinstance(told, DccAlertMessage)
    assert isinstance(told.alert, S1spAlertPassed)
    assert s1sp_alert.read_alert(told.alert.alert).code == "X-S1SP-HUB-TROUBLE"
    return slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_twenty_hubs_tell_ten_times_each_and_every_alert_comes_to_the_participant(
    tmp_path: Path,
) -> None:
    check_flood(tmp_path, 20, 10)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_two_thousand_distinct_hubs_leave_the_door_responsive(tmp_path: Path) -> None:
    begun = time.process_time()
    slowest, memory = check_flood(tmp_path, 2_000, 1)
    assert slowest < 20  # seconds; generous: the machine may be busy
    assert memory < 4_000
    assert time.process_time() - begun < 600
