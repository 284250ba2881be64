"""Saboteurs: devices that do one named thing wrong, to prove that a check notices it.

The table says what each does wrong; ``apply`` makes the class that does it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

from device_profiles.words import DeviceType
from emulator.devices import defective_firmware as fw
from emulator.devices import defective_hub as hub
from emulator.devices import defective_smets1 as smets1
from emulator.devices import defective_smets1_homes as conditions
from emulator.devices import defective_smets1_images as images
from emulator.devices.base import Device
from emulator.devices.defective_methods import Override, Row
from emulator.devices.smets1.catalogue_device import CatalogueDevice
from emulator.devices.smets1.display import Smets1Display

D = TypeVar("D", bound=Device | CatalogueDevice | Smets1Display)

#: Part of a device that a method name may begin with -> class attribute that holds its type.
_PARTS: Final[Mapping[str, str]] = {
    "ota": "client_type",
    "activation": "activation_type",
    "server": "server_type",
    "intake": "intake_type",
    "own": "own_type",
    "image": "image_type",
    "clock": "clock_type",
    "account": "account_type",
    "captures": "captures_type",
    "buffer": "buffer_type",
    "images": "images_type",
    "metadata": "metadata_type",
}


@dataclass(frozen=True, slots=True)
class Defect:
    """One way of being wrong.

    Attributes:
        device_type: The device that has it.
        sentence: What it does wrong, in one sentence.
        methods: Method -> what makes it wrong; ``part.method`` for a part of the device.
        smets1: Whether the device is a SMETS1 one: a DLMS server.
    """

    device_type: DeviceType
    sentence: str
    methods: Mapping[str, Override]
    smets1: bool = False


_E, _G, _P, _H = DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID, DeviceType.HCALCS
_COMMANDED: Final = (_E, _G, _H)
_UPDATED: Final = (_E, _G, _P, _H)

#: Devices whose firmware comes over the HAN.
_ROWS: Final[tuple[Row, ...]] = (
    (
        "silent-after-verify",
        _COMMANDED,
        "sends no receipt (8F72, 8F1C) for an image.",
        {"tell_receipt": fw.says_nothing},
    ),
    (
        "accepts-bad-signature",
        _COMMANDED,
        "keeps an image whose supplier signature is wrong.",
        {"judge_image": fw.any_signature_will_do},
    ),
    (
        "accepts-damaged-image",
        _UPDATED,
        "keeps any image that it can take apart, whoever and whatever it is for.",
        {"judge_image": fw.any_image_will_do},
    ),
    (
        "ignores-hash",
        _COMMANDED,
        "activates whatever is pending, whichever hash the command names.",
        {"activation.refusal": fw.any_hash_will_do},
    ),
    (
        "success-without-image",
        _COMMANDED,
        "answers success although it holds no image.",
        {"activation.refusal": fw.never_lacks_an_image, "activation.begin": fw.done_at_once},
    ),
    (
        "keeps-old-version",
        _UPDATED,
        "says that it activated an image and goes on running the old one.",
        {"activation.take_over": fw.drops_the_image},
    ),
    (
        "claims-success",
        _COMMANDED,
        "answers success whatever came of the activation.",
        {"outcome": fw.always_success},
    ),
    (
        "silent-about-new-version",
        _COMMANDED,
        "neither logs nor tells that its version changed or failed to start (8F43, 8F1B).",
        {"tell_version_change": fw.says_nothing},
    ),
    (
        "answers-future-dated-at-once",
        _COMMANDED,
        "carries a future-dated activation out at once.",
        {"activation.schedule": fw.no_patience},
    ),
    (
        "silent-after-future-dated",
        _COMMANDED,
        "sends neither 8F66 nor 8F67 after a future-dated activation.",
        {"tell_schedule": fw.says_nothing},
    ),
    (
        "forgets-schedule",
        _COMMANDED,
        "accepts a future-dated activation and never carries it out.",
        {"activation.schedule": fw.says_nothing},
    ),
    (
        "forgets-cancel",
        _COMMANDED,
        "answers a cancellation and activates all the same.",
        {"activation.cancel": fw.says_nothing},
    ),
    (
        "drops-image-on-cancel",
        _COMMANDED,
        "throws the pending image away with the cancelled activation.",
        {"activation.cancel": fw.cancels_too_much},
    ),
    (
        "no-rollback",
        _UPDATED,
        "stays on firmware that failed its self-test.",
        {"activation.roll_back": fw.stays_on_bad_firmware},
    ),
    (
        "loses-activation-on-power-loss",
        _COMMANDED,
        "forgets an activation, and that an answer is due, when power goes.",
        {"on_power_off": fw.forgets_activation},
    ),
    (
        "accepts-downgrade",
        _UPDATED,
        "takes and runs a lower version although its policy refuses it.",
        {"ota.why_not_offer": fw.takes_lower_versions, "activation.refuses_version": fw.says_no},
    ),
    (
        "refuses-downgrade",
        _UPDATED,
        "refuses to run a lower version although its policy allows it.",
        {"activation.refuses_version": fw.only_forward},
    ),
    (
        "ignores-pathway",
        _COMMANDED,
        "runs an image its version is no step to, without a word, whatever its policy says.",
        {"activation.off_pathway": fw.says_no},
    ),
    (
        "ota-restarts-always",
        _UPDATED,
        "begins a download anew after a power loss although its policy resumes it.",
        {"ota._lose_power": fw.loses_the_download},
    ),
    (
        "stays-silent-after-power-loss",
        (_E, _P, _H),
        "does not go on with a download after a power loss.",
        {"ota._boot": fw.says_nothing},
    ),
    (
        "takes-any-block",
        _UPDATED,
        "appends every block that arrives, wherever it belongs.",
        {"ota.why_bad_block": fw.no_objection},
    ),
    (
        "ignores-wait",
        _UPDATED,
        "asks again at once when the server says to wait for data.",
        {"ota._wait": fw.asks_again_at_once},
    ),
    (
        "accepts-replayed-commands",
        _UPDATED,
        "carries the same command out as often as it comes.",
        {"on_message": fw.forgets_counters},
    ),
    (
        "reports-wrong-version",
        _UPDATED,
        "reports a version that it does not run.",
        {"reported_version": fw.wrong_version},
    ),
    (
        "download-ignores-battery",
        (_G,),
        "downloads although its battery is low.",
        {"why_postpone": fw.no_objection},
    ),
    (
        "valve-moves-on-download",
        (_G,),
        "closes its valve when a download begins.",
        {"learn_of_image": fw.closes_the_valve},
    ),
    (
        "awake-outside-window",
        (_G,),
        "never switches its receiver off.",
        {"on_timer": fw.never_sleeps},
    ),
    (
        "forgets-tokens",
        (_G,),
        "takes a top-up code as often as it comes.",
        {"on_message": fw.forgets_tokens},
    ),
    (
        "ignores-notification-flag",
        (_G,),
        "does not look at the mirror's notification flags.",
        {"learn_of_image": fw.says_nothing},
    ),
    (
        "switch-opens-on-activation",
        (_E,),
        "opens its load switch when new firmware starts.",
        {"finish_activation": fw.opens_the_switch},
    ),
    ("no-cs09", (_P,), "does not tell of an activation.", {"tell_upgrade": fw.says_nothing}),
    (
        "lies-activation",
        (_P,),
        "tells of success whatever came of the activation.",
        {"tell_upgrade": fw.tells_success},
    ),
    (
        "ignores-upgrade-time",
        (_P,),
        "does not activate when the hub's upgrade time has come.",
        {"upgrade_time_reached": fw.says_nothing},
    ),
)

#: Name, e.g. ``esme-ignores-hash``, ``s1-esme-any-password`` -> defect.
DEFECTS: Final[Mapping[str, Defect]] = MappingProxyType(
    {
        f"{device_type.value.lower()}-{name}": Defect(device_type, sentence, methods)
        for name, device_types, sentence, methods in (*_ROWS, *hub.ROWS)
        for device_type in device_types
    }
    | {
        f"s1-esme-{name}": Defect(DeviceType.ESME, sentence, methods, smets1=True)
        for name, (sentence, methods) in smets1.ROWS.items()
    }
    | {
        f"s1-{device_type.value.lower()}-{name}": Defect(
            device_type, sentence, methods, smets1=True
        )
        for name, device_types, sentence, methods in (*conditions.ROWS, *images.ROWS)
        for device_type in device_types
    }
)


def apply(cls: type[D], names: Iterable[str]) -> type[D]:
    """Return a subclass of a device class that has these defects.

    Args:
        cls: The class, of the defects' device type.
        names: Names of ``DEFECTS``; a single text is one name.

    Raises:
        ValueError: No such defect, or it belongs to another type of device.
    """
    for name in [names] if isinstance(names, str) else names:
        defect = DEFECTS.get(name)
        if defect is None:
            raise ValueError(f"no device defect {name!r}; known: {', '.join(sorted(DEFECTS))}")
        generation = "SMETS1 " if defect.smets1 else ""
        fits = defect.smets1 == issubclass(cls, (CatalogueDevice, Smets1Display))
        if not fits or defect.device_type is not cls.device_type:
            raise ValueError(f"defect {name!r} belongs to a {generation}{defect.device_type.value}")
        for path, override in defect.methods.items():
            cls = _overridden(cls, path, override)
    return cls


def of_smets1(device_type: DeviceType, names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the names that are defects of a SMETS1 device of that type."""
    known = [(name, DEFECTS.get(name)) for name in names]
    return tuple(
        name
        for name, defect in known
        if defect is not None and defect.smets1 and defect.device_type is device_type
    )


def _overridden(cls: type[D], path: str, override: Override) -> type[D]:
    part, _, method = path.rpartition(".")
    if not part:
        return type(cls.__name__, (cls,), {method: override(getattr(cls, method))})
    attribute = _PARTS[part]
    whole = getattr(cls, attribute)
    wrong = type(whole.__name__, (whole,), {method: override(getattr(whole, method))})
    return type(cls.__name__, (cls,), {attribute: wrong})
