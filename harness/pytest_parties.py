"""The parties of a test, each with keys of its own, seated on the test's bench."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from device_profiles.cohort import Cohort, load_cohort
from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from firmware_images.recipe import load_recipe, recipe_names
from harness.errors import UsageError
from harness.migration.record import InstallationRecord
from harness.ports import Bench, Clock
from harness.pytest_home import closest, misuse
from harness.pytest_migration import Migrating, by_step
from harness.pytest_playing import Played, Stage
from harness.pytest_trail import hides
from harness.run import Run
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.scenario_play import chosen_for
from harness.scenarios.firmware.market import NAME as MARKET
from harness.scenarios.firmware.market import Market
from harness.setting import Setting

__tracebackhide__ = hides

#: Role -> scenario that upgrades such a device and has it looked at.
UPGRADES: Final[Mapping[str, str]] = {
    "ESME": "FM-01",
    "GSME": "FM-15",
    "PPMID": "FM-19",
    "HCALCS": "FM-23",
    "CHF": "FM-18",
}
_SMETS2: Final = "SMETS2+"


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a market is set up from outside a run."""

    options: RunOptions
    bench: "_Seat"

    def message(
        self, sender: str, receiver: str, kind: str, octets: bytes = b"", summary: str = ""
    ) -> None:
        """Trace nothing: the market's own post keeps every letter."""


@dataclass(frozen=True, slots=True)
class _Seat:
    inner: Bench = field(repr=False)

    @property
    def clock(self) -> Clock:
        """The bench's time."""
        return self.inner.clock


class Parties:
    """Who takes part: ``parties.supplier``, ``parties.dsp``, ``parties.smso`` and so on.

    A home of SMETS2+ devices has supplier, gas_supplier, dsp, acb and wan_provider; one of a cohort
    smso, s1sp, s1spdp, dco, rp, mcc, cp, dsp and, once its meters are commissioned, supplier.

    Attributes:
        home: The home.
    """

    def __init__(self, stage: Stage, home: Installation) -> None:
        """Seat the parties of a home on its bench.

        Raises:
            UsageError: Nobody can be seated there.
        """
        self._stage = stage
        self.home = home
        self._market: Market | None = None
        self._migrating: Migrating | None = None
        if home.cohort is not None:
            self._migrating = Migrating(stage, home, self.cohort)
            stage.wire.posts.append(self._migrating.office.post)
        elif hasattr(stage.bench, "party_keys"):
            options = replace(stage.options, world=_SMETS2)
            self._market = Market(_Desk(options, _Seat(stage.bench)))
            stage.wire.posts.append(self._market.post)
        else:
            raise misuse(
                f"nobody can be seated on this bench ({stage.bench.kind})",
                "fixture parties",
                "its devices stand on lines, and nobody's keys are known to them",
                "bench.meter(ROLE) and bench.credentials(ROLE, NAME)",
            )

    # -- who is there --------------------------------------------------------------------------

    @property
    def cohort(self) -> Cohort:
        """The cohort of the home.

        Raises:
            UsageError: It has none.
        """
        if self.home.cohort is None:
            raise self._not_here("a cohort", "@pytest.mark.cohort(KEY)")
        return load_cohort(self.home.cohort, self._stage.options.data)

    @property
    def names(self) -> tuple[str, ...]:
        """Who is there."""
        return tuple(name for name, _party in self._seats())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        for known, party in self._seats():
            if known == name:
                return party
        raise AttributeError(f"no party {name!r} in this home; {closest(name, self.names)}")

    def _seats(self) -> Iterator[tuple[str, Any]]:
        if self._market is not None:
            yield from _of_market(self._market)
        if self._migrating is not None:
            yield from self._migrating.seats()

    def _not_here(self, what: str, instead: str) -> UsageError:
        world = "SMETS2+ devices" if self.home.cohort is None else f"cohort {self.home.cohort}"
        return misuse(f"this home has no {what}", self.home.ref, f"it is one of {world}", instead)

    # -- what they do --------------------------------------------------------------------------

    async def upgrade(self, role: str, recipe: str = "") -> Played:
        """Upgrade the firmware of a device: asked for, distributed, activated, read back.

        Args:
            role: Device type.
            recipe: Recipe of the image, by name or file; empty: one for the device's model.

        Raises:
            DeviationError: Somebody deviates.
            UsageError: No such device, or no image for its model.
        """
        if self._market is None:
            raise self._not_here("upgrade", 'smetsbench_run("FM-30")   (smetsbench scenarios)')
        if role not in UPGRADES:
            raise misuse(f"nothing upgrades a {role!r}", "upgrade", closest(role, UPGRADES))
        found = self.home.of(DeviceType(role))
        if not found:
            here = ", ".join(one.role for one in self.home.devices)
            raise misuse(f"the home has no {role}", self.home.ref, f"it has {here}")
        scenario = UPGRADES[role]
        own = str(Setting().scenario(scenario).settings["recipe"])
        return await self.play(scenario, recipe=recipe or _recipe_for(found[0].profile, own))

    async def play(self, scenario: str, **settings: Any) -> Played:
        """Play the steps of a SMETS2+ firmware scenario with the test's own home and bench.

        Args:
            scenario: Its id.
            settings: Settings in the place of its own, e.g. ``recipe``.

        Raises:
            DeviationError: Somebody deviates.
            UsageError: There is no such scenario, or it is of another world.
        """
        market, found = self._market, Setting().scenario(scenario)
        if market is None or found.world != _SMETS2:
            instead = f'smetsbench_run("{scenario}")'
            raise self._not_here(f"part in {scenario} ({found.world})", instead)
        options = _with(found, self._stage.options, settings)
        played = replace(found, settings=options.settings)

        def seat(run: Run) -> None:
            run.participants[MARKET] = market

        return await self._stage.play(played, options, seat)

    async def migrate(
        self, *, before: Mapping[str, str] | None = None, after: Mapping[str, str] | None = None
    ) -> InstallationRecord:
        """Migrate the home, through files and device bytes, to a state it rests in.

        What must hold after every step is checked, and of a migrated home whose each device is.

        Args:
            before: Step id -> order for ``bench.disturb`` before that step, e.g. ``T3``.
            after: The same after the step; ``clear@LINK`` ends it.

        Returns:
            Its record: ``state``, ``failures``, ``history`` and the rest.

        Raises:
            DeviationError: Something that must hold does not.
            UsageError: The home is not of a cohort.
        """
        if self._migrating is None:
            raise self._not_here("migration", "@pytest.mark.cohort(KEY)")
        return await self._migrating.migrate(by_step(before or {}, after or {}))


def _of_market(market: Market) -> Iterator[tuple[str, Any]]:
    suppliers = list(market.suppliers.values())
    yield "supplier", suppliers[0]
    yield "gas_supplier", suppliers[-1]
    yield "suppliers", suppliers
    yield "dsp", market.dsp
    yield "acb", market.dsp.acb
    yield "wan_provider", market.wan_provider
    yield "market", market


def _with(scenario: Scenario, options: RunOptions, settings: Mapping[str, Any]) -> RunOptions:
    """Return the options of a scenario on a bench that is open already, with its own settings."""
    chosen = chosen_for(scenario, options)
    told = {**chosen.settings, **{key: value for key, value in settings.items() if value}}
    return replace(chosen, faults=options.faults, settings=told)


def _recipe_for(model: str, own: str) -> str:
    """Return the recipe of an image for a device model: the scenario's own where it is for it."""
    for name in (own, *recipe_names()):
        recipe = load_recipe(name)
        froms = () if recipe.cpl is None else recipe.cpl.upgrade_from
        if recipe.image.profile == model and any(recipe.image.firmware_version > v for v in froms):
            return name
    raise misuse(
        f"no shipped image is for {model}",
        "upgrade",
        "the model has no recipe of its own",
        'await parties.upgrade(ROLE, recipe="FILE.toml")',
    )
