"""A firmware image over the line, whole and with a power loss in it; SER-007 and SER-008."""

from typing import Final

from device_profiles.dlms import ImageMemory, ImageSection
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.dlms.axdr import Data, Tag
from firmware_images.image import Signing, Target, build
from firmware_images.recipe import made_up_scalar
from firmware_images.version import FirmwareVersion
from harness import installed
from harness.run import Run
from harness.scenario import Step, step
from harness.scenarios.serial.actions import (
    associate,
    dlms,
    eui64,
    meter,
    number,
    octets,
    pause,
    profile,
    read_value,
    word_of,
)
from harness.scenarios.serial.objects import (
    DATA,
    IMAGE,
    IMAGE_TRANSFER,
    attribute,
    method,
)
from harness.scenarios.serial.row import meter_row
from harness.smets1.arguments import Image, image_block

#: Size of the image made where the user gives none. Source: invented.
_CONTENT_BYTES: Final = 3000
_IDENTIFIER: Final = b"smetsbench"
_ENABLED, _STATUS, _FIRST_MISSING, _BLOCK_SIZE = 5, 6, 4, 2
_INITIATE, _BLOCK, _VERIFY, _ACTIVATE = 1, 2, 3, 4
_INITIATED, _VERIFIED = 1, 3
_NOTHING: Final = Data(Tag.INT8, 0)
_PATIENCE_S: Final = 900
_POLL_S: Final = 5


def image_section(run: Run) -> ImageSection:
    """Return how the model takes images; the step is skipped where it takes none."""
    section = dlms(run).image
    if section is None:
        run.skip(f"the model {profile(run).name} takes no images on this line")
    return section


def image_octets(run: Run) -> bytes:
    """Return the user's image, or one made for the model: one version higher, seeded content."""
    own = installed.users_image(run.options)
    if own is not None:
        return own
    model = profile(run)
    version = FirmwareVersion.from_number(model.identity.version_number + 1)
    content = run.chance.stream("image").octets(_CONTENT_BYTES)
    signed = model.firmware.image_kind is ImageKind.SUPPLIER_SIGNED
    signing = Signing(made_up_scalar()) if signed else None
    image = build(Target.of(model), version, content, title="SER image", signing=signing)
    return ota_file.encode(image)


def the_image(run: Run) -> Image:
    """Return the image as the first step kept it."""
    return Image(_IDENTIFIER, bytes.fromhex(run.facts["image"]), int(run.facts["block_bytes"]))


@step("The meter takes the announcement of an image", "COSEM image transfer", timeout_s=300)
async def announced(run: Run) -> None:
    """Read the block size, allow the transfer, and announce name and size."""
    section = image_section(run)
    await associate(run, "management")
    run.facts["old"] = await _firmware(run)
    run.facts["image"] = image_octets(run).hex()
    size = number(
        await read_value(run, "block size", attribute(IMAGE_TRANSFER, IMAGE, _BLOCK_SIZE))
    )
    run.check("block size", section.block_bytes, size)
    run.facts["block_bytes"] = size
    enabled = attribute(IMAGE_TRANSFER, IMAGE, _ENABLED)
    if not number(await read_value(run, "whether transfer is allowed", enabled)):
        answer = await meter(run).set([(enabled, Data(Tag.BOOLEAN, 1))])
        run.require("allowing the transfer", "success", word_of(answer))
    await _announce(run)
    run.check("status", _INITIATED, await _status(run))
    run.event("image-announced")


async def _announce(run: Run) -> None:
    image = the_image(run)
    size = Data(Tag.UINT32, len(image.octets))
    parameters = Data(Tag.STRUCTURE, (Data(Tag.OCTETS, image.identifier), size))
    answer = await meter(run).action(method(IMAGE_TRANSFER, IMAGE, _INITIATE), parameters)
    run.require("answer to the announcement", "success", word_of(answer))


async def _status(run: Run) -> int | None:
    return number(await read_value(run, "status", attribute(IMAGE_TRANSFER, IMAGE, _STATUS)))


async def _first_missing(run: Run) -> int | None:
    wanted = attribute(IMAGE_TRANSFER, IMAGE, _FIRST_MISSING)
    return number(await read_value(run, "first block missing", wanted))


async def _firmware(run: Run) -> str:
    found = await read_value(run, "firmware version", attribute(DATA, dlms(run).firmware_obis))
    return (octets(found) or b"").hex()


async def _send(run: Run, first: int, end: int) -> None:
    image = the_image(run)
    for place in range(first, end):
        answer = await meter(run).action(
            method(IMAGE_TRANSFER, IMAGE, _BLOCK), image_block(image, place)
        )
        run.require(f"answer to block {place}", "success", word_of(answer))


@step(
    "All blocks but one arrive; the meter says which is missing",
    "COSEM image transfer",
    timeout_s=4 * 3600,
)
async def all_but_one(run: Run) -> None:
    """Leave out the last block: verification is refused, and the first missing block is told."""
    last = the_image(run).blocks - 1
    await _send(run, 0, last)
    run.check("first block missing", last, await _first_missing(run))
    answer = await meter(run).action(method(IMAGE_TRANSFER, IMAGE, _VERIFY), _NOTHING)
    run.check("verification without all blocks is refused", True, word_of(answer) != "success")
    early = await meter(run).action(method(IMAGE_TRANSFER, IMAGE, _ACTIVATE), _NOTHING)
    run.check("activation before verification is refused", True, word_of(early) != "success")
    await _send(run, last, last + 1)
    run.event("image-sent", blocks=last + 1)


@step("The meter verifies the image", "COSEM image transfer", timeout_s=_PATIENCE_S + 120)
async def verified(run: Run) -> None:
    """Ask for verification until it is done."""
    asked = 0
    word = "temporary-failure"
    while word == "temporary-failure" and asked * _POLL_S < _PATIENCE_S:
        if asked:
            await pause(run, _POLL_S)
        answer = await meter(run).action(method(IMAGE_TRANSFER, IMAGE, _VERIFY), _NOTHING)
        word = word_of(answer)
        asked += 1
    run.require("answer to verification", "success", word)
    run.check("status", _VERIFIED, await _status(run))
    run.event("image-verified", asked=asked)


@step("The image is activated, and the version changes", "COSEM image transfer", timeout_s=3600)
async def activated(run: Run) -> None:
    """Activate, wait for the restart, associate anew and read the version."""
    answer = await meter(run).action(method(IMAGE_TRANSFER, IMAGE, _ACTIVATE), _NOTHING)
    run.check(
        "answer to activation",
        True,
        word_of(answer) in {"success", "temporary-failure", "link-lost", "no-answer"},
    )
    await pause(run, image_section(run).activation_s + 5)
    await associate(run, "management")
    new = await _firmware(run)
    run.check("the version is another", True, new != run.facts["old"])
    run.facts["new"] = new
    run.event("image-activated", version=new)
    run.outcome("ACTIVATED")
    await meter(run).release()


_TAIL: Final[tuple[Step, ...]] = (verified, activated)
_TAIL_EVENTS: Final = ("image-verified", "image-activated")

SER_007: Final = meter_row(
    id="SER-007",
    title="Firmware image: blocks, verification, activation",
    outcome="ACTIVATED",
    steps=(announced, all_but_one, *_TAIL),
    saboteur="s1-esme-activates-unverified",
    expected_events=("image-announced", "image-sent", *_TAIL_EVENTS),
)


@step("Half of the blocks arrive; then power fails", "COSEM image transfer", timeout_s=4 * 3600)
async def half_and_dark(run: Run) -> None:
    """Send half, take the mains away for a minute."""
    half = the_image(run).blocks // 2
    await _send(run, 0, half)
    await run.bench.power.cycle(eui64(run), 60.0 if run.bench.kind == "emulated" else 3.0)
    run.facts["half"] = half
    run.event("power-lost", blocks=half)


@step("With power back the meter says what it still holds", "COSEM image transfer", timeout_s=600)
async def tells_what_it_holds(run: Run) -> None:
    """The first missing block is the one the profile's memory implies; then the rest is sent."""
    await pause(run, 5)
    await associate(run, "management")
    run.check("version while the image is not whole", run.facts["old"], await _firmware(run))
    kept = image_section(run).power_loss is ImageMemory.KEPT
    if not kept:
        run.check("status after the loss", 0, await _status(run))
        await _announce(run)
    first = await _first_missing(run)
    run.check("first block missing", run.facts["half"] if kept else 0, first)
    await _send(run, first or 0, the_image(run).blocks)
    run.event("image-sent", again_from=first or 0)


SER_008: Final = meter_row(
    id="SER-008",
    title="Power fails in the middle of an image",
    outcome="ACTIVATED",
    steps=(announced, half_and_dark, tells_what_it_holds, *_TAIL),
    saboteur="s1-esme-loses-blocks-on-power-loss",
    needs=frozenset({"power"}),
    expected_events=("image-announced", "power-lost", "image-sent", *_TAIL_EVENTS),
)
