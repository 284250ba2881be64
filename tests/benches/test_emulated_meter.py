"""The emulated bench of one meter on a line: our client against the emulated meter, end to end."""

import itertools
from pathlib import Path

import pytest

from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.crypto.dlms_keys import KeyId
from harness.benches.emulated_meter import EmulatedMeterBench, open_bench
from harness.benches.emulated_meter_build import MeterPlan
from harness.dlms import image, obis, reading, selection
from harness.dlms.image import ImagePlan, TransferStatus
from harness.dlms.profile import Row
from harness.dlms.settings import Framing
from harness.errors import BenchError
from harness.meter import Credentials, Unanswered
from tests.benches.meter_stories import SLOW_CLOCK, associated, play

MODELS = [
    ("smets1", Framing.OPTICAL),
    ("smets1", Framing.HDLC),
    ("smets1", Framing.WRAPPER),
    ("smets1-strict", Framing.HDLC),
    ("smets1-quirks", Framing.OPTICAL),
    ("smets1-wrapper", Framing.WRAPPER),
    ("smets1-wrapper", Framing.HDLC),
]


HALF_HOUR_MS = 1_800_000


def with_form(credentials: Credentials, form: Form) -> Credentials:
    return Credentials(
        credentials.name,
        credentials.client,
        credentials.mechanism,
        credentials.secret,
        credentials.keys,
        credentials.title,
        credentials.suite,
        form,
        credentials.server,
    )


@pytest.mark.parametrize(("profile", "framing"), MODELS)
def test_every_client_of_every_model_reads_on_every_line(profile: str, framing: Framing) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        for name in ("public", "reader", "installer", "management"):
            await associated(bench, name)
            asked = (obis.SERIAL_NUMBER, *reading.clock(), obis.attribute(1, "0-0:1.2.3", 2))
            answer = await port.get(asked)
            assert isinstance(answer, tuple)
            assert answer[3] is DataAccessResult.OBJECT_UNDEFINED
            moment = reading.moment(answer[1:3])
            assert isinstance(moment, reading.ClockReading)
            assert moment.at is not None
            assert abs(moment.at - bench.clock.now()) < 5_000
            told = reading.fields(asked, answer)
            assert told[0].value.startswith("'14P")
        await port.release()

    play(open_bench(MeterPlan(profile, framing=framing)), story)


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("form", list(Form)[1:], ids=lambda form: form.value)
def test_management_speaks_every_ciphered_form(framing: Framing, form: Form) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        joined = await port.associate(with_form(bench.credentials("ESME", "management"), form))
        assert joined.accepted, joined
        total = reading.quantity(await port.get(reading.register(obis.IMPORT)))
        assert isinstance(total, reading.Quantity)
        assert total.unit.symbol == "Wh"
        views = reading.objects(await port.get([obis.OBJECT_LIST]))
        assert isinstance(views, tuple)
        assert len(views) > 50
        assert await port.set([(SLOW_CLOCK, Data(Tag.INT16, 0))]) == (DataAccessResult.SUCCESS,)
        shifted = await port.action(obis.CLOCK_SHIFT, Data(Tag.INT16, 1))
        assert shifted == MethodOutcome(ActionResult.SUCCESS)

    play(open_bench(MeterPlan(framing=framing)), story)


SIGNING_MODEL = """
device_type = "ESME"
title = "a meter whose manager signs"
extends = "smets1"
[dlms]
suite = 1
associations = [
    { client = 16, name = "public", authentication = "none", ciphered = false, rights = "public" },
    { client = 4, name = "signer", authentication = "hls-ecdsa", ciphered = C, rights = "RIGHTS" },
]
[evidence]
"dlms" = "stand-in"
"""


@pytest.mark.parametrize("ciphered", ["true", "false"])
def test_a_client_may_prove_itself_by_a_signature(ciphered: str, tmp_path: Path) -> None:
    model = tmp_path / "signing.toml"
    model.write_text(
        SIGNING_MODEL.replace("= C,", f"= {ciphered},").replace("RIGHTS", "management"),
        encoding="utf-8",
    )

    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench, "signer")
        assert not isinstance(await port.get([obis.SERIAL_NUMBER]), Unanswered)

    play(open_bench(MeterPlan(str(model), framing=Framing.HDLC)), story)


def test_a_load_profile_whole_by_range_by_entry_and_by_column() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench, "public")
        shape = reading.profile_shape(obis.LOAD_PROFILE)
        answer = await port.get(shape)
        bare = reading.columns(answer)
        assert isinstance(bare, tuple)
        holders = reading.units_of_columns(bare)
        units = reading.units(holders, await port.get(holders))
        assert isinstance(units, dict)
        columns = reading.columns(answer, units)
        assert isinstance(columns, tuple)

        async def rows(part: object = None) -> tuple[Row, ...]:
            wanted = selection.buffer(obis.LOAD_PROFILE, part)  # type: ignore[arg-type]  # or None
            found = reading.rows(await port.get([wanted]), columns)
            assert isinstance(found, tuple), found
            return found

        whole = await rows()
        assert len(whole) > 100
        times = [row.at for row in whole if row.at is not None]
        assert len(times) == len(whole)
        assert {later - earlier for earlier, later in itertools.pairwise(times)} == {HALF_HOUR_MS}
        assert await rows(selection.entries(1, 3)) == whole[:3]
        assert await rows(selection.between(times[5], times[9])) == whole[5:10]
        two = columns[:2]
        part = selection.entries(2, 4, 1, 2)
        some = reading.rows(await port.get([selection.buffer(obis.LOAD_PROFILE, part)]), two)
        assert isinstance(some, tuple)
        assert [row.cells for row in some] == [row.cells[:2] for row in whole[1:4]]
        counts = [cell for row in whole for cell in row.cells[1:2]]
        assert all(isinstance(cell, reading.Quantity) for cell in counts)
        raws = [cell.raw for cell in counts if isinstance(cell, reading.Quantity)]
        assert raws == sorted(raws)

    play(open_bench(MeterPlan(framing=Framing.HDLC)), story)


async def transfer(bench: EmulatedMeterBench, size: int) -> None:
    port = await associated(bench)
    answer = await port.get([image.attribute(2)])
    block = reading.number(answer)
    assert isinstance(block, int)
    new_version = b"10000002"
    content = new_version + Chance(1).stream("image").octets(size)
    plan = ImagePlan(b"image-1", content, block)
    done = MethodOutcome(ActionResult.SUCCESS)
    call = plan.initiate()
    assert await port.action(call.method, call.parameters) == done
    for call in plan.blocks():
        assert await port.action(call.method, call.parameters) == done
    missing = reading.number(await port.get([image.attribute(4)]))
    assert missing == plan.count
    for _ in range(10):
        call = plan.verify()
        outcome = await port.action(call.method, call.parameters)
        assert isinstance(outcome, MethodOutcome)
        if outcome.result is not ActionResult.TEMPORARY_FAILURE:
            break
        await bench.clock.sleep_until(UtcMs(bench.clock.now() + 10_000))
    status = reading.read(
        await port.get([image.attribute(6)]), lambda found: image.status_of(found[0])
    )
    assert status in {TransferStatus.VERIFIED, TransferStatus.VERIFY_FAILED}
    infos = reading.read(
        await port.get([image.attribute(7)]), lambda found: image.images_of(found[0])
    )
    assert isinstance(infos, tuple)


@pytest.mark.parametrize(("profile", "framing"), [MODELS[1], MODELS[3], MODELS[5]])
def test_an_image_goes_over_block_by_block_and_is_verified(profile: str, framing: Framing) -> None:
    play(
        open_bench(MeterPlan(profile, framing=framing)),
        lambda bench: transfer(bench, 3_000),
    )


def test_new_keys_are_used_the_old_are_refused_and_a_rollback_restores_them() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench)
        old = bench.credentials("ESME", "management")
        assert old.keys is not None
        new = {KeyId.UNICAST: bytes(range(16)), KeyId.AUTHENTICATION: bytes(range(16, 32))}
        call = reading.key_transfer(old.keys.master, new)
        done = MethodOutcome(ActionResult.SUCCESS)
        assert await port.action(call.method, call.parameters) == done
        await port.release()
        refused = await port.associate(old)
        assert not refused.accepted
        rotated = Credentials(
            "management",
            old.client,
            Mechanism.HLS_GMAC,
            None,
            reading.with_keys(old.keys, new),
            old.title,
            old.suite,
            Form.SERVICE_GLOBAL,
        )
        assert (await port.associate(rotated)).accepted
        back = reading.key_transfer(
            old.keys.master,
            {KeyId.UNICAST: old.keys.unicast, KeyId.AUTHENTICATION: old.keys.authentication},
        )
        assert await port.action(back.method, back.parameters) == done
        assert not (await port.associate(rotated)).accepted
        assert (await port.associate(old)).accepted

    play(open_bench(MeterPlan(framing=Framing.HDLC)), story)


@pytest.mark.parametrize("framing", list(Framing))
def test_wrong_credentials_are_refusals_with_numbers(framing: Framing) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        good = bench.credentials("ESME", "reader")
        bad = Credentials("reader", good.client, Mechanism.LLS, b"00000000")
        refused = await port.associate(bad)
        assert (refused.accepted, refused.result, refused.diagnostic) == (False, 1, 13)
        stranger = await port.associate(Credentials("stranger", 99))
        assert (stranger.accepted, stranger.result) == (False, 1)
        assert (await port.associate(good)).accepted
        with pytest.raises(BenchError, match="secret"):
            await port.associate(Credentials("reader", 2, Mechanism.LLS))
        answer = await port.get([obis.SERIAL_NUMBER])
        assert not isinstance(answer, Unanswered)

    play(open_bench(MeterPlan(framing=framing)), story)
