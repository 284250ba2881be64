"""Who is it: sign-on, names, versions, and what the meter says it has; SER-001, 002 and 019."""

from typing import Final

from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.mode_e import DataSet, data_sets
from harness.run import Run
from harness.scenario import step
from harness.scenarios.serial.actions import (
    associate,
    dlms,
    eui64,
    items,
    meter,
    number,
    octets,
    profile,
    read,
    read_value,
    word_of,
)
from harness.scenarios.serial.objects import (
    ASSOCIATION,
    ASSOCIATION_LN,
    DATA,
    EUI64,
    IMPORT,
    REGISTER,
    SERIAL_NUMBER,
    attribute,
)
from harness.scenarios.serial.row import meter_row

#: Attributes of other objects read for the view at most; a view may name hundreds.
_TRIED: Final = 60
#: Address of the total import in a mode C read-out. Source: known (OBIS without medium, channel).
_READ_OUT_IMPORT: Final = "1.8.0"
#: Times a read-out is asked for. Source: invented.
_ATTEMPTS: Final = 3


@step("Called at the optical port, the meter says who made it", "IEC 62056-21", timeout_s=60)
async def signs_on(run: Run) -> None:
    """Say the sign-on; maker's letters are those of the model."""
    section = dlms(run).sign_on
    if section is None:
        run.skip(f"the model {profile(run).name} opens HDLC without a sign-on")
    report = await meter(run).sign_on()
    run.require("a meter answers", "answered", "answered" if report.answered else report.causes)
    run.check("maker's letters", section.manufacturer, report.manufacturer)
    run.event("signed-on", manufacturer=report.manufacturer, baud=report.baud, mode=report.mode)


@step(
    "The public client reads what the meter is",
    "IEC 62056-5-3 AARQ",
    "IEC 62056-5-3 GET",
    timeout_s=120,
)
async def says_what_it_is(run: Run) -> None:
    """EUI-64 and firmware version are those of bench and model; the serial number is told twice."""
    await associate(run)
    serial = octets(await read_value(run, "the serial number", attribute(DATA, SERIAL_NUMBER)))
    again = octets(await read(run, attribute(DATA, SERIAL_NUMBER)))
    run.check("the serial number is there", True, bool(serial))
    run.check("the serial number, read again", serial, again, clause="IEC 62056-5-3 GET")
    run.facts["serial"] = (serial or b"").decode("ascii", "replace")
    name = octets(await read(run, attribute(DATA, EUI64)))
    if name is not None:
        run.check("EUI-64", eui64(run).octets, name, clause="IEC 62056-5-3 GET")
    found = octets(
        await read_value(run, "the firmware version", attribute(DATA, dlms(run).firmware_obis))
    )
    run.facts["firmware"] = None if found is None else found.hex()
    run.event("identified", serial=run.facts["serial"])


@step(
    "A client with a secret reads the same",
    "IEC 62056-5-3 GET",
    "IEC 62056-5-3 AARQ",
    timeout_s=120,
)
async def says_the_same_to_others(run: Run) -> None:
    """What it is does not depend on who asks."""
    await associate(run, "management")
    serial = octets(await read_value(run, "the serial number", attribute(DATA, SERIAL_NUMBER)))
    run.check("serial number", run.facts["serial"], (serial or b"").decode("ascii", "replace"))
    firmware = octets(await read(run, attribute(DATA, dlms(run).firmware_obis)))
    run.check(
        "firmware version", run.facts["firmware"], None if firmware is None else firmware.hex()
    )
    await meter(run).release()
    run.outcome("IDENTIFIED")


SER_001: Final = meter_row(
    id="SER-001",
    title="Identify a meter: sign-on, serial number, firmware version",
    outcome="IDENTIFIED",
    steps=(signs_on, says_what_it_is, says_the_same_to_others),
    saboteur="s1-esme-wrong-serial",
    expected_events=("signed-on?", "identified"),
)


@step("The meter lists its objects", "COSEM association", timeout_s=300)
async def lists_objects(run: Run) -> None:
    """Read the association view: class, version, name and rights of every object."""
    await associate(run)
    listed = items(await read_value(run, "the object list", attribute(ASSOCIATION_LN, ASSOCIATION)))
    run.check("the list names objects", True, len(listed) > 0)
    rows = [_listed(item) for item in listed]
    run.check("every entry has class, version, name and rights", True, None not in rows)
    known = [row for row in rows if row is not None]
    names = [(class_id, name) for class_id, name, _ in known]
    run.check("no object is listed twice", len(names), len(set(names)))
    run.facts["view"] = [[class_id, name.hex(), readable] for class_id, name, readable in known]
    run.event("view-read", objects=len(known))


def _listed(entry: Data) -> tuple[int, bytes, list[int]] | None:
    """Return class, logical name and readable attributes of one entry of the list."""
    parts = items(entry)
    if len(parts) != 4:
        return None
    class_id, name = number(parts[0]), octets(parts[2])
    rights = items(parts[3])
    if class_id is None or name is None or len(name) != 6 or len(rights) != 2:
        return None
    readable = []
    for right in items(rights[0]):
        index, mode = (number(part) for part in items(right)[:2])
        if index is not None and mode is not None and mode in _READABLE:
            readable.append(index)
    return class_id, name, readable


#: Access modes that allow reading without protection: read, read-write, and their authenticated
#: forms. Source: known (IEC 62056-6-2, access mode of class 15).
_READABLE: Final = frozenset({1, 3})


@step("What the list calls readable can be read", "COSEM association", timeout_s=900)
async def keeps_its_word(run: Run) -> None:
    """Read the name and the other readable attributes of listed objects."""
    refused, other = [], []
    for class_id, name, readable in run.facts["view"]:
        obis = bytes.fromhex(name)
        for index in readable[:_TRIED]:
            if (class_id, index) in {(7, 2), (15, 2)}:
                continue  # buffers and the list itself are long; other rows read them
            found = await read(run, Attribute(Descriptor(class_id, obis, index)))
            where = f"{class_id}/{print_obis(obis)} attribute {index}"
            if isinstance(found, Data):
                other += [where] if index == 1 and found.value != obis else []
            else:
                refused.append(f"{where}: {word_of(found)}")
    run.check("readable attributes that are refused", [], refused)
    run.check("objects that tell another name than the list", [], other)
    run.outcome("VIEW-KEPT")
    await meter(run).release()


SER_002: Final = meter_row(
    id="SER-002",
    title="The association view is what the meter then does",
    outcome="VIEW-KEPT",
    steps=(lists_objects, keeps_its_word),
    saboteur="s1-esme-view-lies",
    expected_events=("view-read",),
)


@step("The read-out at the optical port comes", "IEC 62056-21", timeout_s=120)
async def reads_out(run: Run) -> None:
    """Ask for mode C."""
    section = dlms(run).sign_on
    if section is None or not section.mode_c:
        run.skip(f"the model {profile(run).name} has no mode C read-out")
    report = await meter(run).sign_on(read_out=True)
    for _ in range(_ATTEMPTS - 1):  # behind a terminal server the change of speed may come late
        if not report.read_out:
            report = await meter(run).sign_on(read_out=True)
    run.require("a read-out comes", True, bool(report.read_out))
    sets = data_sets(report.read_out or "")
    run.facts["import"] = next(
        (item.value for item in sets if _address(item) == _READ_OUT_IMPORT), None
    )
    run.require("the read-out tells the total import", True, run.facts["import"] is not None)
    run.event("read-out", sets=len(sets))


def _address(item: DataSet) -> str:
    return item.address.rpartition(":")[2].removesuffix("*255")


@step(
    "Read-out and register tell the same",
    "COSEM register",
    "IEC 62056-5-3 GET",
    "IEC 62056-21",
    timeout_s=120,
)
async def agrees_with_the_register(run: Run) -> None:
    """The register, scaled, is at least the read-out and at most one hour's use above it."""
    if "import" not in run.facts:
        run.skip("there is no read-out to compare with")
    await associate(run, "management")
    shape = items(await read_value(run, "scaler and unit", attribute(REGISTER, IMPORT, 3)))
    value = number(await read_value(run, "total import", attribute(REGISTER, IMPORT)))
    scaler = number(shape[0]) if shape else None
    if value is None or scaler is None:
        run.require("register and scaler are numbers", True, False)
        return
    told_wh = round(float(run.facts["import"]) * 1000)
    found_wh = round(value * 10.0**scaler)
    run.measure("register less read-out", found_wh - told_wh, "Wh", -1, 20_000)
    run.outcome("READ-OUT-AGREES")
    await meter(run).release()


SER_019: Final = meter_row(
    id="SER-019",
    title="Mode C read-out and DLMS registers agree",
    outcome="READ-OUT-AGREES",
    steps=(reads_out, agrees_with_the_register),
    saboteur="s1-esme-read-out-disagrees",
    expected_events=("read-out?",),
)
