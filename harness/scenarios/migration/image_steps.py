"""Steps with a PPMID and its firmware after a migration: added back, updated, read."""

from typing import Final

from device_profiles.cpl import Cpl
from device_profiles.installation import InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.words import DeviceStatus, DeviceType
from emulator.codecs import ota_file
from emulator.core.ids import Eui64
from firmware_images.image import Target, build
from firmware_images.version import FirmwareVersion
from harness.formats.duis.bodies import ReadFirmwareVersion, UpdateFirmware
from harness.formats.duis.responses import ACKNOWLEDGED
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.smets1_contents import DeviceAlert, Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.parties.import_supplier import FromS1sp
from harness.run import Run
from harness.scenario import Step
from harness.scenarios.migration.row import HOME
from harness.scenarios.migration.shapes import ESME
from harness.scenarios.migration.supplier_steps import ask, device, parties, supplier
from harness.scenarios.migration.world import world

_NEXT: Final = "10000002"
_CONTENT: Final = bytes(range(256)) * 2
_TIMEOUT_S: Final = 86_400.0
#: Word with which the S1SP says why it will not.
_WHY: Final = "make"


def _ppmid(run: Run) -> InstalledDevice:
    here = world(run)
    homes = run.scenario.settings["homes"]
    home = next(one for one in homes if one.ref == here.row.home(HOME).ref)
    found: InstalledDevice = home.of(DeviceType.PPMID)[0]
    return found


def adds_back(clause: str) -> Step:
    """A supplier adds the PPMID that was not migrated: 12.2, 8.11, 8.7.2."""

    async def act(run: Run) -> None:
        """The inventory lacks it, then has it, Commissioned, as a SMETS1 device."""
        ppmid = _ppmid(run)
        eui64 = Eui64.parse(ppmid.eui64)
        inventory = parties(run).dsp.inventory
        run.check("on the inventory before", None, inventory.find(eui64), clause=clause)
        user = supplier(run, ESME)
        asked = await parties(run).add_ppmid(user, ppmid, device(run, ESME))
        codes = [one.code for one in asked]
        run.check("12.2, 8.11, 8.7.2", [ACKNOWLEDGED] * 3, codes, clause=clause)
        known = inventory.find(eui64)
        status = None if known is None else known.status
        run.check("status after", DeviceStatus.COMMISSIONED, status, clause=clause)
        run.event("ppmid added")

    return Step("A supplier adds the PPMID to the home", act, (clause,), _TIMEOUT_S)


def is_not_updated(clause: str) -> Step:
    """11.1 to a PPMID of another make: the S1SP says that it does not."""

    async def act(run: Run) -> None:
        """Ask for an update with an image that is on the list; nothing goes to the home."""
        ppmid = _ppmid(run)
        eui64 = Eui64.parse(ppmid.eui64)
        image, its_hash = _image(ppmid.profile)
        dsp, user = parties(run).dsp, supplier(run, ESME)
        dsp.cpl = _listing(dsp.cpl, ppmid.profile, its_hash)
        before = len(user.answered)
        sent = await parties(run).ask(user, UpdateFirmware(image, _NEXT, (eui64,)))
        run.check("the DSP takes the request", ACKNOWLEDGED, sent.code, clause=clause)
        told = _says(user.answered[before:])
        run.check("why it is not updated: its make", True, _WHY in told, clause=clause)
        run.event("ppmid not updated")

    return Step("Its firmware is not updated (11.1)", act, (clause,), _TIMEOUT_S)


def is_not_read(clause: str) -> Step:
    """11.2 to a PPMID of another make fails."""

    async def act(run: Run) -> None:
        """Ask for its firmware version."""
        eui64 = Eui64.parse(_ppmid(run).eui64)
        _word, answer = await ask(run, supplier(run, ESME), ReadFirmwareVersion(), eui64)
        told = _says([] if answer is None else [answer])
        run.check("read", False, bool(answer and answer.success), clause=clause)
        run.check("why it is not read: its make", True, _WHY in told, clause=clause)
        run.event("ppmid not read")

    return Step("Its firmware version is not read (11.2)", act, (clause,), _TIMEOUT_S)


def _says(answers: list[FromS1sp]) -> str:
    """Return what an S1SP said in words."""
    texts: list[str] = []
    for one in answers:
        body = one.value.body if isinstance(one.value, Smets1Response) else None
        if isinstance(body, DeviceAlert):
            texts.append(body.description)
        if isinstance(one.value, S1spAlert):
            texts.append(one.value.information or "")
        if isinstance(body, Result):
            texts += [status.error for status in body.statuses]
    return " ".join(texts)


def _image(profile: str) -> tuple[bytes, bytes]:
    """Return an image of the next version for a PPMID, which has no signature, and its hash.

    Args:
        profile: The PPMID's model.
    """
    version = FirmwareVersion.from_number(int(_NEXT, 16))
    image = build(Target.of(load_profile(profile)), version, _CONTENT)
    return ota_file.encode(image), ota_file.manufacturer_image_hash(image)


def _listing(cpl: Cpl, profile: str, its_hash: bytes) -> Cpl:
    """Return the list with the next version of a SMETS1 PPMID."""
    identity = load_profile(profile).identity
    old = next(
        one
        for one in cpl.entries.values()
        if one.device_type is DeviceType.PPMID
        and one.smets == "SMETS1"
        and (one.manufacturer_id, one.model_id)
        == (identity.manufacturer_hex, f"{identity.model_id:04X}")
    )
    change = {
        "cpl_entry_id": "NEXT-PPMID",
        "firmware_version": _NEXT,
        "manufacturer_image_hash": its_hash.hex(),
        "upgrade_from": (),
    }
    return Cpl([*cpl.entries.values(), old.model_copy(update=change)], checked=True)
