"""The linter: each reason why an update would fail, by its word."""

from dataclasses import replace
from datetime import date

import pytest

from device_profiles.cpl import Cpl, load_cpl
from device_profiles.loader import load_profile, profile_names
from device_profiles.words import CplStatus, DeviceType
from emulator.codecs import ota_file
from emulator.codecs.ota_file import OtaImage
from firmware_images.defects import Draft, spoil
from firmware_images.image import Target, build
from firmware_images.lint import LintReport, Severity, lint
from firmware_images.version import FirmwareVersion
from tests.firmware_images.forge import draft, image

HUBS = [
    profile
    for profile in map(load_profile, profile_names())
    if profile.device_type is DeviceType.CHF
]
ESME = load_profile("demo-esme")
CPL = load_cpl()


def report(octets: bytes, cpl: Cpl | None = CPL, name: str = "") -> LintReport:
    return lint(octets, ESME, HUBS, cpl=cpl, file_name=name)


def words(found: LintReport, severity: Severity | None = None) -> set[str]:
    return {o.word for o in found.objections if severity in {None, o.severity}}


def encoded(changed: OtaImage) -> bytes:
    return ota_file.encode(changed)


def test_a_sound_image_has_no_objection() -> None:
    found = report(encoded(image()))
    assert found.objections == ()
    assert found.cpl_entries == ("SYN-DEMO-ESME-01000001",)
    assert all(hub.fits for hub in found.hubs)
    assert {hub.profile for hub in found.hubs} == {hub.name for hub in HUBS}


@pytest.mark.parametrize(
    ("defect", "word"),
    [
        ("wrong-magic", "bad-magic"),
        ("wrong-total-size", "size-mismatch"),
        ("absent-trailer", "bad-sig-length"),
        ("wrong-hardware-range", "hardware-range"),
        ("wrong-manufacturer", "manufacturer"),
        ("wrong-image-type", "image-type"),
        ("lower-file-version", "not-on-cpl"),
        ("bit-flip-in-image", "hash-mismatch"),
        ("hash-not-on-cpl", "hash-mismatch"),
        ("metadata-for-another-maker", "hash-mismatch"),
        ("metadata-truncated", "hash-mismatch"),
    ],
)
def test_a_defect_is_an_error_by_its_word(defect: str, word: str) -> None:
    found = report(spoil(defect, draft()))
    assert word in words(found, Severity.ERROR)
    assert found.has_errors


def test_a_lower_version_is_a_downgrade_the_profile_decides_on() -> None:
    found = report(encoded(image("demo-esme-1")))
    assert words(found) == {"downgrade"}
    assert "allow" in found.objections[0].detail
    assert not found.has_errors


def test_force_replace_is_worth_a_note() -> None:
    found = report(spoil("force-replace", draft()))
    assert words(found, Severity.NOTE) == {"force-replace"}
    odd = replace(image(), force_replace=7)
    assert words(report(encoded(odd)), Severity.WARNING) == {"force-replace"}


def sized(octets: int) -> bytes:
    plain = draft()
    return spoil("oversize", Draft(plain.image, plain.scalar, plain.other_scalar, octets))


def test_an_image_too_large_for_some_hubs_names_them() -> None:
    found = report(sized(131_072), None)
    assert words(found) == {"too-large-for-some-hubs"}
    assert [hub.profile for hub in found.hubs if not hub.fits] == ["demo-chf-small"]


def test_an_image_too_large_for_every_hub_is_an_error() -> None:
    found = report(sized(750_000), None)
    assert words(found, Severity.ERROR) == {"too-large-for-every-hub"}


def test_an_image_too_large_for_device_or_request_is_an_error() -> None:
    assert "too-large-for-device" in words(report(sized(1_048_576), None))
    assert "too-large-for-duis" in words(report(sized(10_240_000), None))


def test_a_hub_without_secmp0007_updates_no_ppmid() -> None:
    ppmid = load_profile("demo-ppmid")
    found = lint(encoded(image("demo-ppmid-2")), ppmid, HUBS)
    able = {hub.profile: hub.updates_this_type for hub in found.hubs}
    assert able["demo-chf"]
    assert not able["demo-chf-small"]
    assert all(hub.updates_this_type for hub in report(encoded(image())).hubs)


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("header_version", 0x0101, "header-version"),
        ("stack_version", 3, "stack-version"),
        ("header_string", b"\xff" * 32, "header-string"),
    ],
)
def test_unusual_header_fields_are_warnings(field: str, value: object, word: str) -> None:
    made = image()
    header = replace(made.header, **{field: value})  # type: ignore[arg-type]  # one field
    found = report(encoded(replace(made, header=header)))
    assert words(found, Severity.WARNING) == {word}


def test_a_header_without_hardware_versions_is_a_warning() -> None:
    made = image()
    header = replace(
        made.header,
        minimum_hardware=None,
        maximum_hardware=None,
        total_image_size=made.header.total_image_size - 4,
    )
    assert words(report(encoded(replace(made, header=header)))) == {"hardware-range"}


def test_the_factory_version_again_is_a_warning() -> None:
    made = image()
    header = replace(made.header, file_version=ESME.identity.version_number)
    assert "same-version" in words(report(encoded(replace(made, header=header)), None))


def test_a_version_the_maker_cannot_print_is_a_warning() -> None:
    bcd = load_profile("lg-e470-smets2")
    made = image()
    header = replace(made.header, file_version=0x2A000000)
    found = lint(encoded(replace(made, header=header)), bcd, HUBS)
    assert "version-coding" in words(found, Severity.WARNING)


def test_the_recommended_file_name_is_recognised() -> None:
    octets = encoded(image())
    assert words(report(octets, name="FFF2-0000-01000001-demo.zigbee")) == set()
    assert words(report(octets, name="firmware.bin"), Severity.NOTE) == {"file-name"}


def test_the_list_refuses_withdrawn_and_unlisted_versions() -> None:
    assert words(report(encoded(image("demo-esme-withdrawn")))) == {"cpl-status"}
    assert words(report(encoded(image("demo-esme-unlisted")))) == {"not-on-cpl"}
    withdrawn = CPL.with_status("SYN-DEMO-ESME-01000001", CplStatus.WITHDRAWN)
    assert words(report(encoded(image()), withdrawn)) == {"cpl-status"}


def test_a_row_without_hash_is_a_warning() -> None:
    row = CPL.entry("SYN-DEMO-ESME-01000001").model_copy(
        update={"manufacturer_image_hash": "", "effective_from": date(2020, 1, 1)}
    )
    bare = Cpl({**CPL.entries, row.cpl_entry_id: row}.values())
    assert words(report(encoded(image()), bare), Severity.WARNING) == {"hash-not-listed"}


def test_a_hub_image_is_said_to_be_maker_private() -> None:
    found = lint(encoded(image("demo-chf-2")), load_profile("demo-chf"), HUBS, cpl=CPL)
    assert words(found, Severity.NOTE) == {"maker-private"}
    assert not found.has_errors


def test_the_report_reads_as_json() -> None:
    figures = report(spoil("wrong-manufacturer", draft())).figures()
    assert figures["hub_makers_accepting"] == [
        "Aldermoor",
        "EDMI",
        "SmartDCC",
        "Toshiba",
        "Wistron NeWeb",
    ]
    assert "stand-in" in str(figures["hubs"])
    assert "not public" in str(figures["metadata_layout"])


def test_an_image_for_a_model_whose_support_has_ended_is_warned_of() -> None:
    """F-098."""
    legacy = load_profile("lg-p450-pebble")
    version = FirmwareVersion.from_cpl("01000002")
    made = ota_file.encode(build(Target.of(legacy), version, bytes(64)))
    found = lint(made, legacy, HUBS)
    assert "unsupported-model" in words(found, Severity.WARNING)
    assert "unsupported-model" not in words(report(encoded(image())))
