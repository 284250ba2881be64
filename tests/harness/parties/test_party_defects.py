"""Every saboteur must be seen: a probe that gives another result with it than without."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from device_profiles.words import DeviceStatus, DeviceType
from emulator.codecs.gbcs import alerts as gbcs_alerts
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.use_cases import MessageCode, Protection
from emulator.core.ids import Eui64
from emulator.crypto.protection import Accepted, open_message
from harness.errors import UsageError
from harness.formats.duis.requests import ServiceRequest, write_request
from harness.parties.acb import Acb
from harness.parties.correlation import NotCorrelated
from harness.parties.defects import DEFECTS, apply
from harness.parties.dsp import Dsp
from harness.parties.received import Kind
from harness.parties.supplier import Supplier
from tests.harness.parties.dialogue import ecs52, hear, receipt, send
from tests.harness.parties.party_world import (
    ACB,
    AT,
    CHF,
    ESME,
    GAS,
    GSME,
    PPMID,
    SUPPLIER,
    World,
    image,
    listing,
    ring_of,
)

IMAGE = image(DeviceType.ESME)
PPMID_IMAGE = image(DeviceType.PPMID)
LISTED = listing((DeviceType.ESME, IMAGE), (DeviceType.PPMID, PPMID_IMAGE))
STRANGER = Eui64.parse("02-53-01-00-00-00-00-99")
Probe = Callable[[World], Any]


def last_code(world: World) -> str:
    return world.supplier.inbox[-1].code


def submit(world: World, asked: ServiceRequest) -> str:
    world.supplier.take(world.dsp.submit(world.supplier.send(asked), SUPPLIER))
    return last_code(world)


def change(world: World, device: Eui64, **fields: Any) -> None:
    record = world.inventory.find(device)
    assert record is not None
    world.inventory.put(replace(record, **fields))


def wrong_hash(world: World) -> str:
    octets = image(DeviceType.ESME, content=b"something else")
    return submit(world, world.supplier.update_firmware(octets, "01000001", [ESME]))


def activate_ppmid(world: World) -> str:
    return submit(world, world.supplier.activate_firmware(PPMID, bytes(32)))


def old_hub(world: World) -> str:
    change(world, CHF, ppmid_ota=False)
    return submit(world, world.supplier.update_ppmid_firmware(PPMID_IMAGE, "01000001", [PPMID]))


def not_responsible(world: World) -> str:
    change(world, ESME, supplier=GAS)
    return submit(world, world.supplier.update_firmware(IMAGE, "01000001", [ESME]))


def suspended(world: World) -> str:
    change(world, ESME, status=DeviceStatus.SUSPENDED)
    return submit(world, world.supplier.update_firmware(IMAGE, "01000001", [ESME]))


def distribute(world: World, reason: str = "held") -> list[str]:
    world.hub.reason = reason
    submit(world, world.supplier.update_firmware(IMAGE, "01000001", [ESME]))
    asyncio.run(world.dsp.carry_out(world.hub))
    return [getattr(got.response.body, "code", "") for got in world.supplier.alerts()]


def alerts_at_staging(world: World) -> list[int]:
    seen: list[int] = []
    world.hub.before_staging = lambda: seen.append(len(world.supplier.alerts()))
    distribute(world)
    return seen


def correlates(world: World) -> str:
    submit(world, world.supplier.activate_firmware(ESME, bytes(32)))
    got = world.supplier.last(Kind.PRE_COMMAND)
    assert got is not None
    verdict = world.supplier.sign(got)
    return str(verdict.field) if isinstance(verdict, NotCorrelated) else "signed"


def signs_what_was_altered(world: World) -> str:
    submit(world, world.supplier.activate_firmware(ESME, bytes(32)))
    got = world.supplier.last(Kind.PRE_COMMAND)
    assert got is not None
    octets = got.octets
    other = world.supplier.activate_firmware(ESME, bytes(31) + b"\1")
    assert got.request_id is not None
    world.supplier.adopt(replace(other, header=replace(other.header, request_id=got.request_id)))
    verdict = world.supplier.sign(world.supplier.take(octets))
    return "refused" if isinstance(verdict, NotCorrelated) else "signed"


def outside_key(world: World) -> str:
    """The DSP's answer to a pre-command signed with a strange key."""
    submit(world, world.supplier.activate_firmware(ESME, bytes(32)))
    got = world.supplier.last(Kind.PRE_COMMAND)
    assert got is not None
    stranger = apply(Supplier, "supplier-signs-with-other-key")(
        SUPPLIER, world.supplier.roles, ring_of(SUPPLIER), world.post, acb=ACB
    )
    stranger.load(world.supplier.dump())
    signed = stranger.sign(got)
    assert isinstance(signed, ServiceRequest)
    world.supplier.take(world.dsp.submit(write_request(signed), SUPPLIER))
    return last_code(world)


def sign_and_submit(world: World) -> str:
    submit(world, world.supplier.activate_firmware(ESME, bytes(32)))
    got = world.supplier.last(Kind.PRE_COMMAND)
    assert got is not None
    signed = world.supplier.sign(got)
    assert isinstance(signed, ServiceRequest)
    return submit(world, signed)


def one_too_many(world: World) -> str:
    document = write_request(world.supplier.update_firmware(IMAGE, "01000001", [ESME]))
    closing = b"</sr:DeviceIDList>"
    many = (f",{ESME}" * 50_000).encode()
    world.supplier.take(world.dsp.submit(document.replace(closing, many + closing), SUPPLIER))
    return last_code(world)


def twice(world: World) -> str:
    submit(world, world.supplier.update_firmware(IMAGE, "01000001", [ESME]))
    return submit(world, world.supplier.update_firmware(IMAGE, "01000001", [ESME]))


def warned(world: World) -> Any:
    targets = [STRANGER, ESME]
    code = submit(world, world.supplier.update_firmware(IMAGE, "01000001", targets))
    return code, getattr(world.supplier.inbox[-1].response.body, "content", None)


def other_version(world: World) -> int:
    command = send(world, world.supplier.read_firmware_version(ESME))
    version = bytes.fromhex("01000001")
    hear(world, world.answer(command, ecs52(1000, version), protection=Protection.MAC))
    return len(world.supplier.alerts())


def hub_activates(world: World) -> int:
    code = AlertCode.FIRMWARE_VERSION_CHANGED
    payload = gbcs_alerts.encode_dlms_alert(gbcs_alerts.dlms_alert(1, code, AT))
    kind = (CHF, ACB, Cra.ALERT, MessageCode.GCA, 1)
    hear(world, world.device_says(*kind, payload, protection=Protection.SIGNATURE))
    return len(world.supplier.alerts())


def device_alerts(world: World) -> int:
    hear(world, receipt(world, GSME, AlertCode.FIRMWARE_VERIFIED))
    return len(world.supplier.alerts())


def device_accepts(world: World) -> bool:
    command = send(world, world.supplier.read_firmware_version(ESME))
    return isinstance(open_message(command, ring_of(ESME), acb=ACB), Accepted)


def counters(world: World) -> int:
    one = send(world, world.supplier.read_firmware_version(PPMID))
    other = send(world, world.supplier.read_firmware_version(PPMID))
    return int(one[11:20] != other[11:20]) + len({world.acb.next_counter() for _ in range(3)})


PROBES: dict[str, Probe] = {
    "dsp-skips-cpl-check": wrong_hash,
    "dsp-skips-applicability": activate_ppmid,
    "dsp-skips-hub-check": old_hub,
    "dsp-lets-anyone-update": not_responsible,
    "dsp-skips-status-check": suspended,
    "dsp-no-n60": distribute,
    "dsp-no-n61": lambda world: distribute(world, "store-full"),
    "dsp-n60-before-held": alerts_at_staging,
    "dsp-alters-pre-command": correlates,
    "dsp-redirects-pre-command": correlates,
    "dsp-accepts-any-signature": outside_key,
    "dsp-ignores-list-limit": one_too_many,
    "dsp-forgets-transfer-in-progress": twice,
    "dsp-wrong-warning-list": warned,
    "dsp-all-or-nothing": warned,
    "dsp-no-version-mismatch": other_version,
    "dsp-no-hub-activation": hub_activates,
    "dsp-loses-alerts": device_alerts,
    "supplier-signs-anything": signs_what_was_altered,
    "supplier-signs-with-other-key": sign_and_submit,
    "acb-no-mac": device_accepts,
    "acb-broken-mac": device_accepts,
    "acb-repeats-counter": counters,
}


def world_with(name: str | None) -> World:
    if name is None:
        return World(cpl=LISTED)
    return World(
        cpl=LISTED,
        dsp_class=apply(Dsp, name),
        supplier_class=apply(Supplier, name),
        acb_class=apply(Acb, name),
    )


def test_every_defect_has_a_probe_and_a_sentence() -> None:
    assert set(PROBES) == set(DEFECTS)
    assert all(defect.sentence for defect in DEFECTS.values())


@pytest.mark.parametrize("name", list(DEFECTS))
def test_a_saboteur_is_seen(name: str) -> None:
    probe = PROBES[name]
    healthy = probe(world_with(None))
    assert probe(world_with(None)) == healthy
    assert probe(world_with(name)) != healthy


@pytest.mark.parametrize("name", list(DEFECTS))
def test_a_defect_changes_its_own_party_alone(name: str) -> None:
    changed: list[type] = [
        *([Dsp] if apply(Dsp, name) is not Dsp else []),
        *([Supplier] if apply(Supplier, name) is not Supplier else []),
        *([Acb] if apply(Acb, name) is not Acb else []),
    ]
    assert changed == [DEFECTS[name].party]


def test_a_healthy_n60_comes_after_the_hub_has_the_image_and_exactly_once() -> None:
    assert distribute(world_with(None)) == ["N60"]
    assert distribute(world_with("dsp-n60-before-held")) == ["N60"]
    assert alerts_at_staging(world_with("dsp-n60-before-held")) == [1]


def test_an_unknown_defect_is_a_usage_error_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        apply(Dsp, "dsp-sleeps")
    assert "dsp-no-n60" in caught.value.cause
