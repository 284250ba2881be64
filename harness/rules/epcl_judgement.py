"""Installations compared with the EPCL: eligible or not, what differs, what to upgrade first."""

from dataclasses import dataclass, field
from datetime import date

from device_profiles.cohort import Cohort
from device_profiles.combination_diff import Installed
from device_profiles.cpl import Cpl
from device_profiles.epcl import Alignment, Epcl, Nearest
from device_profiles.files import Folders
from device_profiles.installation import Installation
from device_profiles.installed_models import InstalledModel, combination_of, installed_models
from device_profiles.upgrade_plan import Plans, plans
from harness.rules.eligibility import migrating


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the lists say of one installation.

    Attributes:
        ref: The installation.
        cohort: Key of its cohort.
        installed: Its models, GroupID and provider.
        models: Its devices, each with its CPL row.
        left_behind: CPL entries of PPMIDs that the cohort does not migrate.
        objections: What the CPL says against devices, one sentence each.
        alignment: What the EPCL says.
        nearest: The entry that differs least; None for an empty list.
        plans: Firmware updates that lead into the list.
    """

    ref: str
    cohort: str
    installed: Installed
    models: tuple[InstalledModel, ...]
    left_behind: tuple[str, ...]
    objections: tuple[str, ...]
    alignment: Alignment
    nearest: Nearest | None
    plans: Plans

    @property
    def eligible(self) -> bool:
        """Whether the EPCL has the combination and nothing speaks against a device."""
        return self.alignment.entry is not None and not self.objections


@dataclass(slots=True)
class Desk:
    """The lists in force on one day; installations of like models are compared once.

    Attributes:
        cpl: Central Products List.
        epcl: Eligible Product Combinations.
        day: The day.
        overlays: Folders whose values win.
    """

    cpl: Cpl
    epcl: Epcl
    day: date
    overlays: Folders = ()
    _known: dict[Installed, tuple[Alignment, Nearest | None, Plans]] = field(default_factory=dict)

    def judge(self, home: Installation, cohort: Cohort, csp: str) -> Judgement:
        """Compare one installation with the lists.

        Args:
            home: The installation.
            cohort: Its cohort.
            csp: Its communications service provider.

        Raises:
            DataError: The profile of a device cannot be loaded.
        """
        models = installed_models(home, self.cpl, self.overlays)
        whole = combination_of(models)
        moving = migrating(whole, cohort, self.cpl)
        mine = Installed(moving, cohort.cohort.group_id, csp)
        alignment, near, ways = self._compared(mine)
        left = tuple(entry for entry in whole.ppmids if entry not in moving.ppmids)
        return Judgement(
            home.ref,
            cohort.key,
            mine,
            models,
            left,
            tuple(self._objections(models, left)),
            alignment,
            near,
            ways,
        )

    def _compared(self, mine: Installed) -> tuple[Alignment, Nearest | None, Plans]:
        if mine not in self._known:
            self._known[mine] = (
                self.epcl.align(
                    mine.combination, group_id=mine.group_id, csp=mine.csp, day=self.day
                ),
                self.epcl.nearest(mine, self.day),
                plans(self.cpl, self.epcl, mine, self.day),
            )
        return self._known[mine]

    def _objections(
        self, models: tuple[InstalledModel, ...], left_behind: tuple[str, ...]
    ) -> list[str]:
        found = []
        for model in models:
            if model.cpl_entry in left_behind:
                continue
            if model.entry is None or model.why:
                found.append(f"{model.role} {model.eui64}: {model.cpl_entry}: {model.why}")
            elif not model.entry.may_be_installed(self.day):
                status = model.entry.status_on(self.day)
                told = f"{model.cpl_entry} is {status} from {model.entry.effective_from}"
                found.append(f"{model.role} {model.eui64}: {told}, on {self.day}")
        return found
