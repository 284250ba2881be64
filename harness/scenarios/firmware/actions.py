"""What firmware scenarios do with their parties: ask, stage, wait, activate, read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from device_profiles.cpl_entry import CplEntry
from device_profiles.words import CplStatus, DeviceType, ImageKind
from emulator.codecs import ota_file
from emulator.codecs.gbcs.alerts import DlmsAlert
from emulator.codecs.gbcs.asn1 import ActivateFirmwareResponse, ActivationOutcome
from emulator.codecs.gbcs.gbz import GbzAlert
from emulator.codecs.ota_file import OtaImage
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from firmware_images import defects as image_defects
from firmware_images import image as images
from firmware_images import recipe as recipes
from harness import installed
from harness.errors import UsageError
from harness.formats.duis import bodies
from harness.formats.duis.alerts import DccAlert
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.responses import (
    DccAlertMessage,
    FirmwareWarning,
    PpmidFirmwareWarning,
    ResponseMessage,
)
from harness.parties.correlation import NotCorrelated
from harness.parties.dsp_messages import version_of
from harness.parties.received import Kind, Received
from harness.parties.supplier import Supplier
from harness.run import Run
from harness.scenarios.firmware.market import Market, market

HOUR_S: Final = 3600
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Subject:
    """The image of a scenario.

    Attributes:
        octets: The file as it is distributed, spoiled or not.
        version: Eight hex digits.
        image_hash: Manufacturer Image Hash, 32 octets.
    """

    octets: bytes
    version: str
    image_hash: bytes


def target(run: Run) -> Eui64:
    """Return the device under test: the first device type of the scenario."""
    return run.bench.role(run.scenario.devices[0])


def is_ppmid(run: Run, device: Eui64) -> bool:
    """Say whether a device is updated by 11.4 (a PPMID) instead of 11.1."""
    return market(run).profile(device).device_type is DeviceType.PPMID


def subject(run: Run, recipe: str = "", defect: str = "") -> Subject:
    """Return the scenario's image: the user's where one is given, else a recipe's.

    Args:
        run: The run.
        recipe: Recipe name; the scenario's setting ``recipe`` when left out.
        defect: Image defect; the scenario's setting ``defect`` when left out.
    """
    if not recipe:
        _refuse_on_spoiled_rows(run)
        given = _given_image(run)
        if given is not None:
            return given
    return _made(run, recipe or run.scenario.settings["recipe"], defect)


def _refuse_on_spoiled_rows(run: Run) -> None:
    """Refuse a user's image where the row is about an image that is wrong in a given way.

    Raises:
        UsageError: This row makes its own image.
    """
    own = run.options.image or run.options.request
    spoilt = run.scenario.settings.get("defect")
    if own is None or not spoilt:
        return
    raise UsageError(
        f"{run.scenario.id} is about an image with a defect ({spoilt}) and makes its own",
        where=str(own),
        cause="your image would have to be spoilt first, and the row would be about another image",
        next_command=f"smetsbench run FM-01 --image {own}",
    )


def _made(run: Run, recipe: str, defect: str) -> Subject:
    parties, device = market(run), target(run)
    made = recipes.load_recipe(recipe)
    profile = parties.profile(device)
    signed = profile.firmware.image_kind is ImageKind.SUPPLIER_SIGNED
    scalar = parties.signing_scalar(parties.supplier_of(device).eui64) if signed else None
    image = recipes.build(made, profile, scalar)
    octets = ota_file.encode(image)
    defect = defect or run.scenario.settings.get("defect", "")
    if defect:
        hub = parties.profile(run.bench.role("CHF")).hub
        store = 0 if hub is None else hub.image_store_bytes
        other = recipes.signing_scalar("another supplier")
        octets = image_defects.spoil(defect, image_defects.Draft(image, scalar, other, store))
    version = image.header.version_octets.hex().upper()
    found = Subject(octets, version, _hash(octets, profile.firmware.image_kind, image))
    if run.scenario.settings.get("list_on_cpl"):
        _list(parties, device, found, "listed for this scenario", "stand-in")
    return found


def _hash(octets: bytes, kind: ImageKind, sound: OtaImage) -> bytes:
    try:
        return ota_file.manufacturer_image_hash(ota_file.decode(octets, kind))
    except ota_file.ImageError:
        return ota_file.manufacturer_image_hash(sound)


def _given_image(run: Run) -> Subject | None:
    octets = installed.users_image(run.options)
    if octets is None:
        return None
    parties, device = market(run), target(run)
    profile = parties.profile(device)
    where = str(run.options.image or run.options.request)
    try:
        image = ota_file.decode(octets, profile.firmware.image_kind)
    except ota_file.ImageError as error:
        raise UsageError(
            f"the image is no {profile.firmware.image_kind} image: {error.name}, {error.why}",
            where=where,
            cause="an image for another kind of device, or a damaged file",
            next_command=f"smetsbench firmware inspect {where}",
        ) from error
    _check_signer(run, image, where)
    found = Subject(
        octets,
        image.header.version_octets.hex().upper(),
        ota_file.manufacturer_image_hash(image),
    )
    if not installed.overlays(run.options):  # with --data the user's own list decides
        mark = f"user:{found.image_hash.hex()[:16]}"
        _list(parties, device, found, "added for this run: the user's own image", mark)
        asked = installed.users_request(run.options)
        if asked is not None and isinstance(asked.body, bodies.UpdateFirmware):
            # A request may name another version than its image's header (the TPL samples do).
            named = replace(found, version=asked.body.firmware_version.upper().zfill(8))
            _list(parties, device, named, "added for this run: named by the user's request", mark)
    return found


def _check_signer(run: Run, image: OtaImage, where: str) -> None:
    """Refuse a user's image that the devices of this bench cannot but reject, unless they should.

    Raises:
        UsageError: It is signed by nobody whose key the devices hold.
    """
    parties = market(run)
    supplier = parties.supplier_of(target(run)).eui64
    status = images.verify(image, parties.public_keys, supplier)
    if status in {images.SignatureStatus.OK, images.SignatureStatus.NO_TRAILER}:
        return
    raise UsageError(
        f"the image is not signed by the supplier these devices know: {status}",
        where=f"{where}, supplier {supplier}",
        cause="the bench made that supplier's key from the seed; your image carries another's",
        next_command=f"smetsbench run {run.scenario.id} --image {where} --keystore YOUR-KEYS",
    )


def _list(parties: Market, device: Eui64, found: Subject, notes: str, evidence: str) -> None:
    """Put a version and its hash on the CPL in force, in the place of a row it may have."""
    record = parties.dsp.inventory.find(device)
    if record is None:
        return
    running = parties.dsp.cpl.resolve(
        manufacturer=record.manufacturer,
        model=record.model,
        device_type=record.device_type,
        firmware_version=record.firmware_version,
    ).entry
    if running is None:
        return
    listed = [
        e for e in parties.dsp.cpl.versions_of(running) if e.firmware_version == found.version
    ]
    changes = {
        "cpl_entry_id": listed[0].cpl_entry_id if listed else f"RUN-{found.version}",
        "firmware_version": found.version,
        "manufacturer_image_hash": found.image_hash.hex(),
        "status": CplStatus.ACTIVE,
        "effective_from": date(2014, 1, 1),
        "upgrade_from": (running.cpl_entry_id,),
        "notes": notes,
        "evidence": evidence,
    }
    parties.list_version(CplEntry.model_validate({**running.model_dump(), **changes}))


# -- asking --------------------------------------------------------------------------------------


def submit(run: Run, asked: ServiceRequest, supplier: Supplier) -> Received:
    """Send a request to the DSP and return its answer, as the supplier judged it."""
    document = supplier.send(asked)
    return supplier.take(market(run).dsp.submit(document, supplier.eui64))


def request_update(run: Run, image: Subject, devices: tuple[Eui64, ...]) -> Received:
    """Ask for an update of ``devices``: 11.1, or 11.4 where the scenario is about a PPMID."""
    supplier = market(run).supplier_of(target(run))
    asked = installed.users_request(run.options)
    if asked is None or not isinstance(asked.body, bodies.UpdateFirmware):
        make = (
            supplier.update_ppmid_firmware
            if is_ppmid(run, target(run))
            else (supplier.update_firmware)
        )
        asked = make(image.octets, image.version, devices)
    return submit(run, asked, supplier)


def request_activation(
    run: Run, device: Eui64, image_hash: bytes, at: UtcMs | None = None
) -> Received:
    """Ask for an activation (11.3, variant 4); the answer is a pre-command or a refusal."""
    supplier = market(run).supplier_of(device)
    return submit(run, supplier.activate_firmware(device, image_hash, at), supplier)


def sign_and_submit(run: Run, pre_command: Received, device: Eui64) -> Received | NotCorrelated:
    """Correlate and sign a returned pre-command and submit it (variant 5)."""
    supplier = market(run).supplier_of(device)
    signed = supplier.sign(pre_command)
    if isinstance(signed, NotCorrelated):
        return signed
    return submit(run, signed, supplier)


async def carry_out(run: Run) -> None:
    """Let DSP, ACB and CSP do what they accepted: send commands, transfer images."""
    await market(run).dsp.carry_out(run.bench.hub)


# -- waiting -------------------------------------------------------------------------------------


async def wait_for(
    run: Run,
    supplier: Supplier,
    wanted: Callable[[Received], bool],
    within_s: float,
    *,
    since: int = 0,
) -> Received | None:
    """Route what the hub sends until the supplier's inbox holds what is wanted.

    Args:
        run: The run.
        supplier: Whose inbox.
        wanted: What to wait for.
        within_s: Seconds of bench time.
        since: Entries of the inbox to leave out.

    Returns:
        The first entry that is wanted, or None when the time passed.
    """
    deadline = UtcMs(run.bench.clock.now() + round(within_s * 1000))
    dsp = market(run).dsp
    while True:
        found = next((got for got in supplier.inbox[since:] if wanted(got)), None)
        if found is not None:
            return found
        if await dsp.route(run.bench.hub, deadline) is None:
            return None


async def listen(run: Run, seconds: float) -> None:
    """Route everything that comes within a time, and wait for all of that time."""
    deadline = UtcMs(run.bench.clock.now() + round(seconds * 1000))
    while await market(run).dsp.route(run.bench.hub, deadline) is not None:
        continue


def is_device_alert(code: int, device: Eui64) -> Callable[[Received], bool]:
    """Return a test for an alert of a device."""

    def wanted(got: Received) -> bool:
        return (
            got.kind is Kind.DEVICE_ALERT
            and alert_code(got) == code
            and got.opened is not None
            and _originator(got) == device
        )

    return wanted


def is_dcc_alert(kind: type[DccAlert]) -> Callable[[Received], bool]:
    """Return a test for a DCC alert of one kind."""

    def wanted(got: Received) -> bool:
        return isinstance(dcc_alert(got), kind)

    return wanted


def dcc_alert(got: Received) -> DccAlert | None:
    """Return the DCC alert an inbox entry carries, or None."""
    body = got.response.body
    return body.alert if isinstance(body, DccAlertMessage) else None


def is_response_to(pending: Received | None) -> Callable[[Received], bool]:
    """Return a test for the device's response to the request of ``pending``."""

    def wanted(got: Received) -> bool:
        return (
            pending is not None
            and got.kind is Kind.RESPONSE
            and got.request_id == pending.request_id
        )

    return wanted


def alert_code(got: Received) -> int | None:
    """Return the GBCS alert code an inbox entry carries, or None."""
    return got.value.alert_code if isinstance(got.value, DlmsAlert | GbzAlert) else None


def _originator(got: Received) -> Eui64 | None:
    env = getattr(got.opened, "envelope", None)
    return None if env is None else env.header.originator


def activation_outcome(got: Received | None) -> ActivationOutcome | None:
    """Return the outcome a CS06 response carries; None for NULL or nothing."""
    value = None if got is None else got.value
    return value.outcome if isinstance(value, ActivateFirmwareResponse) else None


def version_told(got: Received | None) -> str:
    """Return the version the answer to a firmware read tells, eight hex digits, or empty."""
    version = None if got is None else version_of(got.value)
    return "" if version is None else version.hex().upper()


#: First of the identifiers that stand for devices nobody has: locally administered, never live.
_NOBODY: Final = 0x0253_FFFF_0000_0000


def nobody(number: int) -> Eui64:
    """Return an EUI-64 that no installation of this product has."""
    return Eui64((_NOBODY + number).to_bytes(8, "big"))


def warning_of(got: Received) -> FirmwareWarning | PpmidFirmwareWarning | None:
    """Return the warning lists of a response, or None where it has none."""
    body = got.response.body
    content = body.content if isinstance(body, ResponseMessage) else None
    return content if isinstance(content, FirmwareWarning | PpmidFirmwareWarning) else None
