"""The catalogue of gas clusters says what the engine can do, and nothing else."""

from pathlib import Path

import pytest

from device_profiles.errors import DataError
from device_profiles.gbcs_clusters import load_gbcs_clusters
from emulator.codecs.gbcs.use_cases import MESSAGES, PayloadKind
from emulator.codecs.zcl import gas
from emulator.codecs.zcl.frame import ZclFrame
from emulator.devices.gpf.gpf import GPF_HANDLERS
from emulator.devices.gpf.model.model import GpfModel
from emulator.devices.gsme.handlers import GSME_HANDLERS
from emulator.devices.gsme.model.model import GasModel
from emulator.devices.gsme.model.store import catalogue_defaults, gas_clusters
from emulator.devices.gsme.model.types import kind_of
from tests.emulator.devices.gas.gas_kit import Home

CATALOGUE = gas_clusters()
ROOT = Path(__file__).parents[4] / "device_profiles" / "catalogues"


def test_every_command_of_the_catalogue_has_a_codec_and_something_that_carries_it_out() -> None:
    home = Home()
    works = {**home.meter.model.works, **home.hub.gpf.model.works}
    for row in CATALOGUE.rows:
        if row.kind in {"c", "s"}:
            assert row.cluster is not None
            frame = ZclFrame(True, row.kind == "s", False, 0, row.number, b"")
            assert gas.knows(row.cluster, frame), row.where
            assert row.binding in works, row.where


def test_every_value_has_a_type_and_every_default_is_of_it() -> None:
    for row in CATALOGUE.rows:
        if row.type:
            kind_of(row.type)
    assert catalogue_defaults().keys() == {
        row.name for row in CATALOGUE.rows if row.default is not None
    }


def test_every_gbz_command_of_the_message_table_is_answered_by_its_devices() -> None:
    tables = {"GSME": GSME_HANDLERS.rows, "GPF": GPF_HANDLERS.rows}
    for row in MESSAGES.values():
        if PayloadKind.GBZ not in row.payload or not row.command:
            continue
        for device in row.devices:
            assert row.code in tables[device], (row.use_case, device)


def test_a_fresh_meter_answers_every_read_of_every_use_case() -> None:
    home = Home()
    for use_case, row in CATALOGUE.use_cases.items():
        attributes = [
            one.name
            for one in CATALOGUE.rows
            if one.kind == "a" and use_case in one.use_cases and "gsme" in row.devices
        ]
        if attributes:
            assert None not in home.read(use_case, *attributes), use_case


def test_models_carry_no_dictionary() -> None:
    home = Home()
    assert isinstance(home.meter.model, GasModel)
    assert isinstance(home.hub.gpf.model, GpfModel)
    for model in (home.meter.model, home.hub.gpf.model):
        assert not hasattr(model, "__dict__")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0702,a0000,register_dm3", "0702,a0000,tier_1_dm3"),
        ("0702,a0000,register_dm3", "0702,x0000,register_dm3"),
        ("GCS13a,source", "GCS99z,source"),
        ("register_dm3,u48,0,", "register_dm3,u48,zero,"),
        ("cluster,member", "member,cluster"),
    ],
)
def test_a_wrong_catalogue_is_refused(tmp_path: Path, old: str, new: str) -> None:
    folder = tmp_path / "catalogues"
    folder.mkdir()
    text = (ROOT / "gbcs-gas.csv").read_text("utf-8")
    assert old in text
    (folder / "gbcs-gas.csv").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(DataError):
        load_gbcs_clusters("gas", (tmp_path,))
