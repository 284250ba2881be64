"""Every saboteur of the images of SMETS1 homes shows in a story, and a right home does not."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.codecs.dlms.hub_image import ImageTicket
from emulator.devices.defective_smets1_images import ROWS
from emulator.devices.defects import DEFECTS
from tests.emulator.devices.smets1.image_home import (
    ENDURING,
    ESME,
    GSME,
    HUB,
    NEW,
    PPMID,
    ROLES,
    TACTICAL,
    ImageHome,
    image_for,
    metadata_for,
)

HUB_MODEL = "demo-s1-chf-ioc"
MODELS = {ESME: "demo-s1-esme", GSME: "demo-s1-gsme", PPMID: "demo-s1-ppmid", HUB: HUB_MODEL}
LIMIT = 750_000
Story = Callable[[ImageHome], object]


def image(target: object, layout: str = HUB_MODEL, **header: Any) -> bytes:
    return image_for(ROLES[target], MODELS[target], layout=layout, **header)  # type: ignore[index]  # an EUI-64


def offered(size: int) -> Story:
    return lambda home: home.initiate(ImageTicket(ESME, NEW), size)


def other_layout(home: ImageHome) -> object:
    home.stage(ESME, image(ESME, "demo-s1-chf-mds"))
    home.pass_s(60)
    return home.last(), home.meter().image.transfer is None


def by_the_channel(home: ImageHome) -> object:
    bare = image(PPMID, "")
    home.hand_over(ImageTicket(PPMID, NEW), metadata_for(MODELS[PPMID], bare, HUB_MODEL))
    home.stage(PPMID, bare)
    return home.log()[-1].reason.word


def fitting_after_oversize(home: ImageHome) -> object:
    home.initiate(ImageTicket(GSME, NEW), LIMIT + 1)
    home.stage(ESME, image(ESME))
    home.pass_s(60)
    return home.last()


def discarded(home: ImageHome) -> object:
    home.initiate(ImageTicket(ESME, NEW), LIMIT + 1)
    home.pass_s(5)
    return len(home.read_log()), len(home.notices())


def told_of_failure(home: ImageHome) -> object:
    home.initiate(ImageTicket(ESME, NEW), LIMIT + 1)
    return home.read_log()[-1].stage


def second(force: bool) -> Story:
    def story(home: ImageHome) -> object:
        home.stage(GSME, image(GSME))
        octets = image_for("GSME", MODELS[GSME], NEW + 1, layout=HUB_MODEL)
        home.stage(GSME, octets, NEW + 1, force_replace=force)
        return home.last()[0]

    return story


def for_other_hardware(home: ImageHome) -> object:
    home.stage(ESME, image(ESME, minimum_hardware=0x0700, maximum_hardware=0x0700))
    home.pass_s(120)
    return home.log()[-1].served


def arrives_whole(home: ImageHome) -> object:
    home.stage(ESME, image(ESME))
    home.pass_s(120)
    return home.meter().image.content_hash()


def waits_for_its_order(home: ImageHome) -> object:
    home.stage(PPMID, image(PPMID))
    home.pass_hours(1)
    return home.running(PPMID)


def of_another_device(target: object) -> Story:
    def story(home: ImageHome) -> object:
        home.stage(target, image(target, "", destination=HUB))  # type: ignore[arg-type]  # an EUI-64
        home.pass_hours(2)
        return home.last()

    story.hub = "demo-s1-chf"  # type: ignore[attr-defined]  # the model of the story's hub
    return story


def runs_the_new_one(target: object) -> Story:
    def story(home: ImageHome) -> object:
        ticket = home.stage(target, image(target))  # type: ignore[arg-type]  # an EUI-64
        home.pass_hours(1)
        if target == PPMID:
            home.order(ticket)
        elif target == HUB:
            home.activate_hub()
        else:
            home.activate_meter(target)  # type: ignore[arg-type]  # an EUI-64
        home.pass_s(120)
        return home.running(target)  # type: ignore[arg-type]  # an EUI-64

    return story


def joins_again(home: ImageHome) -> object:
    home.power_cycle(PPMID)
    home.pass_s(10)
    return home.display.session


def with_a_low_battery(target: object) -> Story:
    def story(home: ImageHome) -> object:
        home.world.box(target).device.inject("battery-low")  # type: ignore[arg-type, attr-defined]  # it has one
        home.stage(target, image(target))  # type: ignore[arg-type]  # an EUI-64
        home.pass_hours(3)
        return home.last()[0]

    return story


def sleeper(home: ImageHome) -> object:
    home.display.inject("battery-low")
    home.stage(PPMID, image_for("PPMID", "demo-s1-ppmid-ended", layout=HUB_MODEL))
    home.pass_hours(3)
    return home.last()[0]


STORIES: dict[str, Story] = {
    "s1-chf-skips-size-check": offered(LIMIT + 1),
    "s1-chf-refuses-at-the-limit": offered(LIMIT),
    "s1-chf-skips-metadata-check": other_layout,
    "s1-chf-channel-always-open": by_the_channel,
    "s1-chf-keeps-discarded": other_layout,
    "s1-chf-forgets-outcome": discarded,
    "s1-chf-silent-about-outcome": discarded,
    "s1-chf-claims-delivery": told_of_failure,
    "s1-chf-oversize-blocks-for-good": fitting_after_oversize,
    "s1-chf-ignores-force-replace": second(force=True),
    "s1-chf-always-replaces": second(force=False),
    "s1-chf-serves-wrong-hardware": for_other_hardware,
    "s1-chf-damages-a-block": arrives_whole,
    "s1-chf-upgrades-at-once": waits_for_its_order,
    "s1-chf-keeps-old-version": runs_the_new_one(HUB),
    "s1-esme-takes-any-image": of_another_device(ESME),
    "s1-gsme-takes-any-image": of_another_device(GSME),
    "s1-ppmid-takes-any-image": of_another_device(PPMID),
    "s1-esme-keeps-old-version": runs_the_new_one(ESME),
    "s1-gsme-keeps-old-version": runs_the_new_one(GSME),
    "s1-ppmid-keeps-old-version": runs_the_new_one(PPMID),
    "s1-ppmid-activates-at-once": waits_for_its_order,
    "s1-ppmid-ignores-upgrade-time": runs_the_new_one(PPMID),
    "s1-ppmid-never-rejoins": joins_again,
    "s1-ppmid-downloads-on-low-battery": sleeper,
    "s1-gsme-downloads-on-low-battery": with_a_low_battery(GSME),
}


def outcome(name: str, *defects: str) -> object:
    story = STORIES[name]
    hub = getattr(story, "hub", HUB_MODEL)
    ppmid = "demo-s1-ppmid-ended" if story is sleeper else MODELS[PPMID]
    seed = 1
    if story is sleeper:
        seed = next(
            n for n in range(40) if ImageHome(hub, ppmid=ppmid, seed=n).display.images.takes
        )
    return story(ImageHome(hub, ppmid=ppmid, mode=TACTICAL, seed=seed, defects=defects))


@pytest.mark.parametrize("name", STORIES)
def test_a_saboteur_of_images_shows(name: str) -> None:
    assert outcome(name, name) != outcome(name)


def test_every_saboteur_of_images_has_its_story() -> None:
    named = {f"s1-{kind.value.lower()}-{row[0]}" for row in ROWS for kind in row[1]}
    assert named == {*STORIES}
    assert named <= {*DEFECTS}


def test_an_open_channel_in_enduring_mode_is_no_saboteur() -> None:
    home = ImageHome(HUB_MODEL, mode=ENDURING)
    assert by_the_channel(home) == "none"
