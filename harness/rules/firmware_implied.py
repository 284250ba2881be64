"""What the loaded data imply for one image, hub and device, and which data say so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from device_profiles.evidence import Mark
from device_profiles.metadata_layout import NO_LAYOUT, MetadataMode
from device_profiles.words import CplStatus, DeviceType, DowngradePolicy, ImageAcceptance
from harness.rules.firmware_case import STAND_IN, Basis, Implied, ImpliedCase
from harness.verdict import ExpectationKind

REJECTED: Final = "REJECTED"
DISCARDED: Final = "DISCARDED"
HW_MISMATCH: Final = "HW_MISMATCH"
TRANSFER_FAILED: Final = "TRANSFER_FAILED"
ACTIVATED: Final = "ACTIVATED"
HASH_MISMATCH: Final = "HASH_MISMATCH"
ACT_FAILED: Final = "ACT_FAILED"
UNTARGETABLE: Final = "UNTARGETABLE"
NOT_SUPPORTED: Final = "NOT_SUPPORTED"
#: Where an attempt may end at a device of which nobody knows whether it takes an image.
_UNKNOWN_DEVICE: Final = frozenset(
    {ACTIVATED, TRANSFER_FAILED, "VERIFY_FAILED", ACT_FAILED, "NOT_ACTIVATED"}
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule makes of a case.

    Attributes:
        outcomes: Outcome words.
        reason: Why, in a word or two.
        kind: How firmly.
    """

    outcomes: frozenset[str]
    reason: str
    kind: ExpectationKind = ExpectationKind.EXACT


Rule = Callable[[ImpliedCase, Basis], Decision | None]


def imply(case: ImpliedCase, rules: "Mapping[str, Rule] | None" = None) -> Implied:
    """Say what the data imply for one case; no rule that objects means that it works.

    Args:
        case: Image, hub, device, cohort, mode.
        rules: Rules in order, the first that decides counts; ``RULES`` when left out.
    """
    basis = Basis()
    basis.note(f"image {case.image.name}", f"{case.image.size_bytes} octets", case.image.mark)
    for name, rule in (RULES if rules is None else rules).items():
        decision = rule(case, basis)
        if decision is not None:
            items = tuple(basis.items.values())
            return Implied(decision.kind, decision.outcomes, decision.reason, name, items)
    items = tuple(basis.items.values())
    return Implied(ExpectationKind.EXACT, frozenset({ACTIVATED}), "nothing objects", "none", items)


def _one(word: str, reason: str) -> Decision:
    return Decision(frozenset({word}), reason)


def targetable(case: ImpliedCase, basis: Basis) -> Decision | None:
    """B3, D1 to D14: a device that was announced as the other kind is out of reach."""
    ruling = case.ruling
    if ruling is None or case.target.device_type is not DeviceType.PPMID:
        return None
    basis.note(f"decision {ruling.row or 'none'}", ruling.outcome, Mark.parse(ruling.evidence))
    return None if ruling.is_targetable else _one(UNTARGETABLE, ruling.says)


def listed(case: ImpliedCase, basis: Basis) -> Decision | None:
    """F-063: the Central Products List has the version, Active, with this hash."""
    row = case.cpl
    if row is None:
        basis.note(f"CPL row of {case.image.name}", "assumed, with its hash", STAND_IN)
        return None
    basis.note(f"CPL row {row.cpl_entry_id}", row.status_on(case.day), Mark.parse(row.evidence))
    if row.status_on(case.day) is not CplStatus.ACTIVE or case.day < row.effective_from:
        return _one(REJECTED, f"CPL row is {row.status_on(case.day)}")
    if row.manufacturer_image_hash and row.manufacturer_image_hash != case.hash.hex():
        return _one(REJECTED, "CPL hash mismatch")
    return None


def own_make(case: ImpliedCase, basis: Basis) -> Decision | None:
    """F-097: an S1SP that knows no third-party displays updates none."""
    cohort, target = case.cohort, case.target
    if cohort is None or target.device_type is not DeviceType.PPMID:
        return None
    allowed = cohort.ppmid.third_party_firmware
    basis.cohort(cohort, "ppmid.third_party_firmware", allowed)
    if allowed:
        return None
    for profile in (case.hub, target):
        code = profile.identity.manufacturer_hex
        basis.profile(profile, "identity.manufacturer_code", code)
    if target.identity.manufacturer_code == case.hub.identity.manufacturer_code:
        return None
    return _one(NOT_SUPPORTED, "third party")


def hub_updates_it(case: ImpliedCase, basis: Basis) -> Decision | None:
    """FM-20: a SMETS2+ hub needs SECMP0007 for PPMIDs and HCALCS."""
    hub = case.hub.hub
    late = {DeviceType.PPMID, DeviceType.HCALCS}
    if hub is None or case.is_smets1 or case.target.device_type not in late:
        return None
    basis.profile(case.hub, "hub.ppmid_ota", hub.ppmid_ota)
    return None if hub.ppmid_ota else _one(NOT_SUPPORTED, "hub without SECMP0007")


def fits_the_store(case: ImpliedCase, basis: Basis) -> Decision | None:
    """S003 §3: the hub stores every image first, whatever it is for."""
    hub = case.hub.hub
    if hub is None:
        return None
    basis.profile(case.hub, "hub.image_store_bytes", hub.image_store_bytes)
    return _one(DISCARDED, "size") if case.image.size_bytes > hub.image_store_bytes else None


def has_the_metadata(case: ImpliedCase, basis: Basis) -> Decision | None:
    """S003 §5: inside the image its hub's own metadata, or none at all once the S1SP has them."""
    layout = case.hub.metadata or NO_LAYOUT
    asked, held = layout.layout_id, case.image.layout_id
    basis.layout(case.hub)
    own_mode = None if case.cohort is None else case.cohort.metadata.mode_on(case.day)
    if case.cohort is not None and own_mode is case.mode:
        basis.cohort(case.cohort, "metadata.mode", case.mode)
    if layout.is_none:
        return None
    if case.mode is MetadataMode.ENDURING:
        if held == NO_LAYOUT.layout_id:
            return None
        either = frozenset({DISCARDED, REJECTED})
        return Decision(either, "image is not bare", ExpectationKind.ONE_OF)
    return None if held == asked else _one(DISCARDED, "metadata")


def fits_the_hardware(case: ImpliedCase, basis: Basis) -> Decision | None:
    """F-041: the header's hardware range holds the device's."""
    header, identity = case.image.hardware, case.target.identity
    basis.profile(case.target, "identity.hardware_version", f"{identity.hardware_version:04X}")
    if header is None or header[0] <= identity.hardware_version <= header[1]:
        return None
    return _one(HW_MISMATCH, "hardware range")


def device_takes_it(case: ImpliedCase, basis: Basis) -> Decision | None:
    """The device's own limits: model, size, and what it does with a lower version."""
    firmware, identity = case.target.firmware, case.target.identity
    basis.profile(case.target, "firmware.image_type", f"{firmware.image_type:04X}")
    meant = (identity.manufacturer_code, firmware.image_type)
    if (case.image.manufacturer_code, case.image.image_type) != meant:
        return _one(TRANSFER_FAILED, "image of another model")
    basis.profile(case.target, "firmware.max_image_bytes", firmware.max_image_bytes)
    if case.image.size_bytes > firmware.max_image_bytes:
        return _one(TRANSFER_FAILED, "too large for the device")
    if int(case.image.version, 16) >= identity.version_number:
        return None
    policy = firmware.downgrade_policy
    basis.profile(case.target, "firmware.downgrade_policy", policy)
    if policy is DowngradePolicy.REFUSE_AT_QUERY:
        return _one(TRANSFER_FAILED, "downgrade")
    refuses = policy is DowngradePolicy.REFUSE_AT_ACTIVATION
    return _one(ACT_FAILED, "downgrade") if refuses else None


def hash_is_right(case: ImpliedCase, _basis: Basis) -> Decision | None:
    """11.3 names the hash of the image; PPMIDs and hubs are asked no less."""
    if case.activation_hash in {None, case.hash}:
        return None
    return _one(HASH_MISMATCH, "11.3 names another hash")


def maker_supports_it(case: ImpliedCase, basis: Basis) -> Decision | None:
    """S003 §6: nobody tested what a legacy device does with an image."""
    takes = case.target.firmware.takes_images
    if takes is None or takes is ImageAcceptance.ALWAYS:
        return None
    basis.profile(case.target, "firmware.takes_images", takes)
    if takes is ImageAcceptance.BY_SEED:
        return Decision(_UNKNOWN_DEVICE, "support ended", ExpectationKind.UNCERTAIN)
    failed = _UNKNOWN_DEVICE - {ACTIVATED}
    return Decision(failed, "device takes no images", ExpectationKind.ONE_OF)


#: The rules, in the order in which an image meets them.
RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "targetable": targetable,
        "listed": listed,
        "own-make": own_make,
        "hub-updates-it": hub_updates_it,
        "fits-the-store": fits_the_store,
        "has-the-metadata": has_the_metadata,
        "fits-the-hardware": fits_the_hardware,
        "device-takes-it": device_takes_it,
        "hash-is-right": hash_is_right,
        "maker-supports-it": maker_supports_it,
    }
)
