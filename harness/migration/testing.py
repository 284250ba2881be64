"""Device testing, T1 to T6: what the S1SP asks of the devices, and what the tables say of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.han_log import LogRow
from emulator.core.ids import Eui64
from harness.formats.migration_files.common_file import CommonInstallation, HubDetail, MeterDetail
from harness.migration.custody import S1SP, SMSO, Custody
from harness.migration.hand_over import note_owner
from harness.migration.key_change import Changed
from harness.migration.observing import Observer, eui64_of
from harness.migration.office import Office
from harness.migration.states import Owner
from harness.migration.steps import WARNED, Case, Steps, Told, fault, judged, ok
from harness.rules.migration_appendices import (
    AppendixFinding,
    DeviceFacts,
    Value,
    ask,
    called_by,
)
from harness.words import counted

#: Step -> the table it asks.
TABLES: Final = {"T3": "16.10.2", "T4": "16.9.2"}
_METERS: Final = {"esme": DeviceType.ESME, "gsme": DeviceType.GSME}
_EXCLUDE_GSME: Final = "exclude-gsme"
_GIVE_BACK: Final = "give-back"
_NOT_LOGGED: Final = "the hub's device log does not hold it"
#: Category of TMAD clause 18 that a GSME falls into when it is left out.
GAS_LEFT_OUT: Final = "gas_han_failure"


@dataclass(frozen=True, slots=True)
class Testing:
    """Tests the devices of installations.

    Attributes:
        steps: Takes the steps.
        detail: What the MCF says of an installation, by ref.
    """

    steps: Steps
    detail: Callable[[str], CommonInstallation]

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.steps.office

    async def run(self, case: Case) -> Told | None:
        """Take T1 to T6; returns the first failure, or None."""
        tests: tuple[Callable[[Case], Awaitable[Told]], ...] = (
            self._hub,
            self._versions,
            self._esme,
            self._gsme,
            self._ppmids,
            self._mode_changes,
        )
        for test in tests:
            told = await test(case)
            if told.failed:
                return told
        return None

    async def secure(self, case: Case) -> Told | None:
        """Let the S1SP take every holder over itself, where hand-over has no steps of its own."""
        for device_type in case.holders():
            told = await self._secure_one(case, device_type)
            if told.failed:
                return told
        return None

    async def _secure_one(self, case: Case, device_type: DeviceType) -> Told:
        async def act() -> Told:
            change = await Custody(self.office, case.site).secure(device_type)
            note_owner(case, device_type, change, Owner.S1SP)
            case.reached = case.reached or not change.silent
            if change.done:
                return ok("secured: the S1SP's key opens it, the SMSO's is refused")
            if change.how is Changed.SILENT and device_type is not DeviceType.CHF:
                return Told(WARNED, "not secured: it does not answer; its own table judges that")
            sub_code = f"1{change.how.value[-1]}"
            return fault(self.office.judge(), "T1", sub_code, change.says(), silent=change.silent)

        return await self.steps.take(case, "T1", act, device_type)

    # -- T1, T2 --------------------------------------------------------------------------------

    async def _hub(self, case: Case) -> Told:
        async def act() -> Told:
            judge = self.office.judge()
            seen, log = await Observer(self.office, case.site).hub()
            case.reached = case.reached or seen.answered
            if not seen.answered:
                return fault(judge, "T1", "01", seen.says, silent=True)
            if not seen.opened:
                return fault(judge, "T1", "03", seen.says)
            wanted, eui64 = self.detail(case.ref).hub.device, eui64_of(seen)
            if eui64 != wanted:
                return fault(judge, "T1", "02", f"{eui64} answers, not {wanted}")
            if log is None:
                return fault(judge, "T1", "04", seen.says)
            self._keep_log(case, log)
            told = f"the hub answers; its device log has {counted(len(log), 'device')}"
            return ok(told, seen.evidence())

        return await self.steps.take(case, "T1", act, DeviceType.CHF)

    def _keep_log(self, case: Case, log: tuple[LogRow, ...]) -> None:
        joined = {row.eui64 for row in log if row.joined}
        for prefix, device_type in _METERS.items():
            if case.site.device(device_type) is not None:
                here = case.site.eui64(device_type) in joined
                case.facts[f"{prefix}.han_log_entry"] = here
        for device in case.site.installation.of(DeviceType.PPMID):
            eui64 = Eui64.parse(device.eui64)
            case.facts[f"ppmid.{eui64.hex}.han_log_entry"] = eui64 in joined

    async def _versions(self, case: Case) -> Told:
        async def act() -> Told:
            differing: list[str] = []
            for device_type in case.holders():
                version = await Observer(self.office, case.site).firmware(device_type)
                record = case.record.device(device_type)
                if record is None or not version:
                    continue
                record.firmware_running = version
                declared = self._declared(case, device_type)
                record.firmware_declared = declared
                if version != declared:
                    differing.append(f"{device_type.value} runs {version}, not {declared}")
            if differing:
                return fault(self.office.judge(), "T2", "01", "; ".join(differing))
            return ok("every version that was read is that of the combination")

        return await self.steps.take(case, "T2", act)

    def _declared(self, case: Case, device_type: DeviceType) -> str:
        detail = self.detail(case.ref)
        parts: dict[DeviceType, HubDetail | MeterDetail | None] = {
            DeviceType.CHF: detail.hub,
            DeviceType.ESME: detail.esme,
            DeviceType.GSME: detail.gsme,
        }
        part = parts.get(device_type)
        return "" if part is None else part.model.firmware_version.upper()

    # -- T3, T4 --------------------------------------------------------------------------------

    async def _esme(self, case: Case) -> Told:
        async def act() -> Told:
            told, _finding = await self._table(case, "T3")
            return told

        return await self.steps.take(case, "T3", act, DeviceType.ESME)

    async def _gsme(self, case: Case) -> Told:
        detail = self.detail(case.ref)
        if detail.gsme is None:
            await self.steps.pass_over(case, "T4", "there is no GSMEDetail")
            return ok("")

        async def act() -> Told:
            told, finding = await self._table(case, "T4")
            if told.failed and finding is not None and finding.row.on_failure == _EXCLUDE_GSME:
                return await self._silent_hub(case) or await self._leave_out(case, told)
            return told

        return await self.steps.take(case, "T4", act, DeviceType.GSME)

    async def _silent_hub(self, case: Case) -> Told | None:
        """Return the failure where the hub itself went silent; None: it answers.

        GT01 is an error on the gas side of the HAN (DCC-var1): a lost WAN leaves no gas meter out.
        """
        seen, _log = await Observer(self.office, case.site).hub()
        if seen.answered:
            return None
        detail = "the hub fell silent while the gas meter was asked"
        return fault(self.office.judge(), "T1", "01", detail, silent=True)

    async def _table(self, case: Case, step: str) -> tuple[Told, AppendixFinding | None]:
        """Ask the appendix that a step's table calls, of the meters its rows name."""
        clause, detail = TABLES[step], self.detail(case.ref)
        rows = called_by(self.office.book, clause)
        wanted = {name for row in rows for name in (row.fact, row.value) if "." in name}
        evidence = ""
        for prefix in sorted({name.partition(".")[0] for name in wanted} & set(_METERS)):
            device_type = _METERS[prefix]
            if case.site.device(device_type) is None:
                continue
            observer = Observer(self.office, case.site)
            found, evidence = await observer.facts(device_type, sorted(wanted))
            case.facts |= found
            case.facts |= named(prefix, detail)
        facts = DeviceFacts(case.facts, detail.gsme is not None)
        outcome, finding = ask(self.office.judge(), clause, facts)
        told = judged(outcome)
        return Told(told.result, told.text, told.code, told.sub_code, evidence), finding

    async def _leave_out(self, case: Case, told: Told) -> Told:
        """Go on with the ESME alone: the GSME is left out, and given back where that can be."""
        eui64 = case.site.eui64(DeviceType.GSME)
        case.left_out[eui64.hex] = told.code
        case.record.exclusion = GAS_LEFT_OUT
        said = f"{told.text}; the migration goes on with the ESME alone"
        back = "it stays with the S1SP"
        if self.office.settings.excluded_gsme == _GIVE_BACK:
            change = await Custody(self.office, case.site).restore(DeviceType.GSME)
            note_owner(case, DeviceType.GSME, change, Owner.SMSO)
            back = "it is the SMSO's again" if change.done else f"{back}: {change.says()}"
        self.office.post.hand_over(S1SP, SMSO, "notice", b"", f"{eui64} left out; {back}")
        return Told(WARNED, f"{said}; {back}", told.code, told.sub_code, told.evidence)

    # -- T5, T6 --------------------------------------------------------------------------------

    async def _ppmids(self, case: Case) -> Told:
        ppmids = case.site.installation.of(DeviceType.PPMID)
        if not ppmids:
            await self.steps.pass_over(case, "T5", "there is no PPMID")
            return ok("")

        async def act() -> Told:
            told: list[str] = []
            lost = False
            for ppmid in ppmids:
                eui64 = Eui64.parse(ppmid.eui64)
                why = self._stays_behind(case, eui64)
                lost = lost or why == _NOT_LOGGED
                if why:
                    case.left_out[eui64.hex] = why
                told.append(f"{eui64} {f'is not migrated: {why}' if why else 'is migrated'}")
            says = "; ".join(told)
            return Told(WARNED, says, "X-T5") if lost else ok(says)

        return await self.steps.take(case, "T5", act, DeviceType.PPMID)

    def _stays_behind(self, case: Case, ppmid: Eui64) -> str:
        """Say why a PPMID is not migrated; empty: it is."""
        if all(one.device != ppmid for one in self.detail(case.ref).ppmids):
            if self.office.cohort.ppmid.third_party_migrated:
                return "the Migration Common File does not name it"
            return "of another make than the SMSO's, which this cohort does not migrate"
        if case.facts.get(f"ppmid.{ppmid.hex}.han_log_entry") is False:
            return _NOT_LOGGED
        return ""

    async def _mode_changes(self, case: Case) -> Told:
        async def act() -> Told:
            proved: list[str] = []
            for device_type in case.holders():
                if device_type is DeviceType.CHF:
                    continue
                observer = Observer(self.office, case.site)
                if not observer.has_account(device_type):
                    proved.append(f"{device_type.value} has no account to change")
                    continue
                prefix = device_type.value.lower()
                if case.facts.get(f"{prefix}.mode_change_proved") is not True:
                    mode = str(case.facts.get(f"{prefix}.payment_mode", ""))
                    why = await observer.proves_mode_change(device_type, mode)
                    if why:
                        detail = f"{device_type.value}: {why}"
                        return fault(self.office.judge(), "T6", "01", detail)
                proved.append(f"{device_type.value} proved")
            return ok("; ".join(proved))

        return await self.steps.take(case, "T6", act)


def named(prefix: str, detail: CommonInstallation) -> dict[str, Value]:
    """Return what the MCF says of a meter, as the tables name it."""
    meter: MeterDetail | None = detail.esme if prefix == "esme" else detail.gsme
    if meter is None:
        return {}
    point = "mpan" if prefix == "esme" else "mprn"
    return {
        f"{prefix}.detail_device_id": str(meter.device),
        f"{prefix}.detail_{point}": meter.mpxn,
        f"{prefix}.dmc_firmware": meter.model.firmware_version.upper(),
        f"{prefix}.detail_payment_mode": str(meter.payment_mode),
    }
