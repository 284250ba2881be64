"""Plays scenarios against emulated twins of a bench's devices, and lists every write they make."""

import asyncio
import inspect
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import Descriptor
from emulator.core.clock import iso
from harness.benches import BENCHES
from harness.errors import UsageError
from harness.journal import Journal
from harness.ports import Bench
from harness.report.model import RunRecord
from harness.run_options import RunOptions
from harness.runner import Watcher, start
from harness.setting import Setting, named
from hil import wall_clock
from hil.arming_state import dry_run_file, write_private
from hil.bench_file import LoadedBench, load_bench
from hil.dry_run_report import DryRunReport, Rehearsal, Write, counted
from hil.verbs import Access, Service, Verb, accesses_of, verb_of

_EMULATED: Final = "emulated"
_BENCH: Final = "bench"
_TWIN: Final = "hil.dry_run:open_twin"


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a loop whose clock jumps: twins live in virtual time."""
    loop: asyncio.AbstractEventLoop = _emulated("new_event_loop")()
    return loop


def check(options: RunOptions) -> None:
    """Look at the choices of a dry run before anything is played.

    Raises:
        UsageError: The bench file, a profile, a fault or a defect cannot be used.
    """
    _emulated("check")(of_twin(options))


async def open_twin(options: RunOptions) -> Bench:
    """Open an emulated bench whose devices are of the models that the bench file names.

    Raises:
        UsageError: The bench file or a profile cannot be used.
    """
    opened = _emulated("open_bench")(of_twin(options))
    bench: Bench = await opened if inspect.isawaitable(opened) else opened
    return bench


def of_twin(options: RunOptions) -> RunOptions:
    """Return the options of the emulated bench for what runs on a bench file.

    Raises:
        UsageError: There is no bench file, or it cannot be used.
    """
    if options.bench is None:
        raise UsageError("no bench file was given", where="dry run")
    loaded = load_bench(options.bench, options.data)
    models = {
        **options.settings.get("profiles", {}),
        **{role.value: loaded.model(role) for role in loaded.content.roles},
    }
    return replace(options, bench=None, settings={**options.settings, "profiles": models})


def rehearse(
    loaded: LoadedBench,
    wanted: Sequence[str],
    options: RunOptions,
    watcher: Watcher | None = None,
) -> tuple[DryRunReport, RunRecord]:
    """Play scenarios on twins, and write the report beside the bench file.

    Args:
        loaded: The bench file.
        wanted: Scenario ids and globs.
        options: Choices of the run; its bench is the bench file.
        watcher: Who hears of the progress.

    Raises:
        UsageError: An unknown id, or the report cannot be written.
    """
    setting = Setting(benches={**BENCHES, _BENCH: _TWIN})
    with tempfile.TemporaryDirectory(prefix="smetsbench-dry-run-") as folder:
        chosen = replace(options, bench=loaded.path)
        place, record = start(
            wanted, chosen, out=Path(folder) / "run", setting=setting, watcher=watcher
        )
        journal = Journal.open(place.file("journal"))
        try:
            rehearsals = tuple(_rehearsals(journal, loaded.on_lines()))
        finally:
            journal.close()
    report = DryRunReport(
        bench=loaded.content.bench.name,
        bench_sha256=loaded.sha256,
        seed=options.seed,
        made_at=iso(wall_clock.now()),
        scenarios=rehearsals,
    )
    write_private(dry_run_file(loaded.path), report.encode())
    return report, record


def _rehearsals(journal: Journal, on_lines: Sequence[DeviceType]) -> Iterator[Rehearsal]:
    for row in journal.rows("SELECT n, id, declared, result FROM scenarios ORDER BY n"):
        devices = json.loads(row["declared"])["devices"]
        operations = journal.rows(
            "SELECT kind, request FROM operations WHERE scenario = ? ORDER BY ordinal", row["n"]
        )
        writes = [
            write
            for operation in operations
            for write in _writes(operation["kind"], bytes(operation["request"]), devices, on_lines)
        ]
        verdict = json.loads(row["result"])["verdict"]
        yield Rehearsal(scenario=row["id"], verdict=str(verdict), writes=counted(writes))


def _writes(
    kind: str,
    request: bytes,
    devices: Sequence[str],
    on_lines: Sequence[DeviceType] = (),
) -> list[Write]:
    """Return the writes of one journalled operation; none for what only reads.

    To a device on a line every way leads over that line, the ways through a hub too.
    """
    port, _, service = kind.partition(".")
    if kind == "power.cycle":
        return [Write(verb=Verb.SUPPLY, role=devices[0], service="power")]
    if port != "meter":
        return []
    asked = json.loads(request)
    if asked.get("way") != "line" and asked["role"] not in on_lines:
        return []
    accesses = [one for one in _accesses(service, asked) if one.verb is not Verb.READ]
    return [_write(access, asked["role"], service) for access in accesses]


def _accesses(service: str, asked: Mapping[str, Any]) -> Sequence[Access]:
    if service == "set":
        targets = [_descriptor(item) for item, _value in asked["set"]]
        return [Access(verb_of(Service.SET, one), one, Service.SET) for one in targets]
    if service == "action":
        one = _descriptor(asked["action"])
        return [Access(verb_of(Service.ACTION, one), one, Service.ACTION)]
    return accesses_of(bytes.fromhex(asked["apdu"])) if service == "exchange" else ()


def _descriptor(item: Sequence[Any]) -> Descriptor:
    return Descriptor(int(item[0]), bytes.fromhex(item[1]), int(item[2]))


def _write(access: Access, role: str, service: str) -> Write:
    target = access.target
    if target is None:
        return Write(verb=access.verb, role=role, service=service)
    return Write(
        verb=access.verb,
        role=role,
        service=service,
        class_id=target.class_id,
        obis=print_obis(target.obis),
        index=target.index,
    )


def _emulated(name: str) -> Any:
    return named(f"{BENCHES[_EMULATED].partition(':')[0]}:{name}")
