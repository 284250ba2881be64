"""What the devices behind a dongle serve: attributes, logs, mirrored reports, images, SMETS1."""

from collections.abc import Iterable

import pytest

from device_profiles import installation as installations
from device_profiles.installation import InstalledDevice
from emulator.codecs.zcl import (
    basic,
    device_management,
    events,
    foundation,
    key_establishment,
    metering,
    ota,
    prepayment,
)
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import AttributeValue, ReportAttributes
from emulator.codecs.zcl.metering import (
    FunctionalFlag,
    MirrorReportAttributeResponse,
    NotificationScheme,
)
from emulator.codecs.zcl.ota import QueryNextImageRequest
from emulator.core.ids import Eui64
from emulator.devices.base import Device
from emulator.devices.served_clusters import served_clusters
from emulator.devices.smets1.behind_hub import BehindHub
from emulator.devices.smets1.display import Smets1Display
from emulator.devices.smets1.display_screen import Link
from emulator.devices.zcl_side import ZclSide
from emulator.ncp.member import Member
from emulator.runtime.dongle_home import Home, Joining, home_of_plan
from emulator.runtime.installation import Plan
from tests.emulator.ncp.home_given import START
from tests.emulator.ncp.host_as_hub import GPF_ENDPOINT, Around, hub_beside

#: Every cluster a device may serve that this project knows of.
ALL = (0x0000, 0x000A, 0x0700, 0x0702, 0x0703, 0x0704, 0x0705, 0x0706, 0x0707, 0x0708, 0x0709)


#: Metering attributes that move on while an answer travels.
_MOVING = {0x0000, 0x0001, 0x0100, 0x0102, 0x0400, 0x0401, 0x0A00}


def _home(name: str = "demo", *, roles: Iterable[str] = (), display: str = "") -> Home:
    installation = installations.load(name)
    if display:
        extra = InstalledDevice.model_validate(
            {
                "role": "PPMID",
                "profile": display,
                "eui64": "02-53-05-00-00-00-00-31",
                "supplier": installation.devices[0].supplier,
                "status": "Commissioned",
            }
        )
        devices = (*installation.devices, extra)
        installation = installation.model_copy(update={"devices": devices})
    home = home_of_plan(Plan(installation, 1, START), Joining())
    wanted = [plan for plan in home.plans if not roles or plan.name.split()[0] in roles]
    return Home(home.hub, tuple(wanted), home.codes)


def _agreed(home: Home) -> Around:
    return hub_beside(home).agree()


def _served(member: Member, around: Around) -> dict[tuple[int, int], AttributeValue]:
    """Return what the device's own model says of every attribute, at the present moment."""
    device = member.plan.application
    assert isinstance(device, ZclSide)
    now = member._application._clock.utc(around.hub.desk.now)
    return {
        (cluster, attribute): value
        for cluster in (*ALL, ota.CLUSTER)
        for attribute, value in device.attributes(cluster, now).items()
    }


@pytest.mark.parametrize("role", ["esme", "gsme", "ppmid", "hcalcs"])
def test_every_attribute_is_told_as_the_device_has_it(role: str) -> None:
    around = _agreed(_home(roles=[role]))
    member = around.member(role)
    served = _served(member, around)
    assert {cluster for cluster, _ in served} >= {basic.CLUSTER, ota.CLUSTER}
    for (cluster, attribute), kept in served.items():
        told = around.hub.read(member.plan.eui64, cluster, attribute, sealed=True)
        assert told is not None, (cluster, attribute)
        assert told[0].value is not None, (cluster, attribute)
        assert told[0].value.type is kept.type
        credit = (cluster, attribute) == (prepayment.CLUSTER, 0x0001)
        if credit or (attribute in _MOVING and cluster == metering.CLUSTER):
            assert isinstance(told[0].value.value, int)  # it moves on while the answer travels
            assert isinstance(kept.value, int)
            assert abs(told[0].value.value - kept.value) < (10_000 if credit else 100)
        else:
            assert told[0].value == kept


@pytest.mark.parametrize("role", ["esme", "gsme", "ppmid", "hcalcs"])
def test_a_simple_descriptor_lists_what_is_served_and_nothing_else(role: str) -> None:
    around = _agreed(_home(roles=[role]))
    member = around.member(role)
    inputs = set(member.plan.endpoint.inputs)
    tells = {cluster for cluster, _ in _served(member, around)} - {ota.CLUSTER}
    silent = {device_management.MESSAGING} if role == "esme" else set()  # it has no attributes
    assert inputs == tells | silent | {events.CLUSTER, key_establishment.CLUSTER}
    assert ota.CLUSTER in member.plan.endpoint.outputs


def _log(around: Around, eui64: Eui64, log: int, most: int = 0) -> events.PublishEventLog:
    asked = events.GetEventLog(0, log, 0, 0, 0xFFFFFFFF, most, 0)
    around.hub.heard.clear()
    around.hub.send(eui64, events.CLUSTER, events.encode(asked, 9), sealed=True)
    around.hub.wait(200)
    (answer,) = [one for one in around.hub.heard if one.aps.cluster == events.CLUSTER]
    told: events.PublishEventLog = events.decode(zcl_frame.decode(answer.message))
    return told


def test_a_device_publishes_its_logs_the_latest_first() -> None:
    around = _agreed(_home(roles=["esme"]))
    member = around.member("esme")
    device = member.plan.application
    assert isinstance(device, Device)
    assert _log(around, member.plan.eui64, 6) == events.PublishEventLog(0, 0, 1, ())
    now = member._application._clock.utc(around.hub.desk.now)
    for code in range(0x8F00, 0x8F06):
        device.log(code, "made up", now, security=code % 2 == 1)
    told = _log(around, member.plan.eui64, 6)
    assert sorted(entry.event for entry in told.events) == [0x8F00, 0x8F02, 0x8F04]
    assert {entry.log for entry in told.events} == {6}
    assert _log(around, member.plan.eui64, 7).matching == 3
    few = _log(around, member.plan.eui64, 0, most=2)
    assert (few.matching, len(few.events)) == (6, 2)


def test_a_sleepy_gas_meter_reports_to_its_mirror_and_obeys_its_flags() -> None:
    home = _home(roles=["gsme"])
    around = _agreed(home)
    hub, member = around.hub, around.member("gsme")
    assert member.sleepy
    hub.wait(3_000)
    reports = [one for one in hub.heard if one.aps.cluster == metering.CLUSTER]
    assert {one.aps.destination_endpoint for one in reports} == {GPF_ENDPOINT}
    told: dict[int, AttributeValue] = {}
    for one in reports:
        report = foundation.decode(zcl_frame.decode(one.message))
        assert isinstance(report, ReportAttributes)
        told.update(report.values)
    served = {k: v for (c, k), v in _served(member, around).items() if c == metering.CLUSTER}
    assert told.keys() == served.keys()
    assert {k: v for k, v in told.items() if k not in _MOVING} == {
        k: v for k, v in served.items() if k not in _MOVING
    }
    flags = int(FunctionalFlag.NEW_OTA_FIRMWARE)
    answer = MirrorReportAttributeResponse(NotificationScheme.ALL_FIVE, (flags, 0, 0, 0, 0))
    hub.heard.clear()
    for source, asks in ((123, False), (GPF_ENDPOINT, True)):
        octets = metering.encode(answer, 5)
        hub.send(member.plan.eui64, metering.CLUSTER, octets, sealed=True, source=source)
        hub.wait(3_000)
        queries = [
            ota.decode(zcl_frame.decode(one.message))
            for one in hub.heard
            if one.aps.cluster == ota.CLUSTER
        ]
        asked = any(isinstance(query, QueryNextImageRequest) for query in queries)
        assert asked is asks


# -- SMETS1 --------------------------------------------------------------------------------------


def test_a_smets1_home_joins_on_the_older_curve_and_says_who_it_is() -> None:
    around = _agreed(_home("smets1", display="demo-s1-ppmid"))
    assert [one.plan.name.split()[0] for one in around.bridge.members] == ["esme", "gsme", "ppmid"]
    assert {note["suite"] for note in around.noted("key_established")} == {"CBKE_163"}
    for member in around.bridge.members:
        told = around.hub.read(member.plan.eui64, basic.CLUSTER, 4, 5, 7, sealed=True)
        assert told is not None
        assert all(one.value is not None for one in told)
        profile = _profile(member)
        assert [one.value.value for one in told if one.value][:2] == [
            profile.identity.manufacturer_name,
            profile.identity.model_name,
        ]


def _profile(member: Member):  # type: ignore[no-untyped-def] # a device profile, of either kind
    device = member.plan.application
    return device.profile if isinstance(device, Smets1Display) else device.server.profile  # type: ignore[attr-defined]


def test_a_smets1_meter_shows_its_credit_and_its_register() -> None:
    around = _agreed(_home("smets1", roles=["esme"]))
    member = around.member("esme")
    assert set(member.plan.endpoint.inputs) == {0x0000, 0x0702, 0x0705, 0x0800}
    shown = around.hub.read(member.plan.eui64, prepayment.CLUSTER, 0, 1, 2, 3, sealed=True)
    assert shown is not None
    device = member.plan.application
    assert isinstance(device, BehindHub)
    account = device.server.account  # type: ignore[attr-defined] # of a meter
    now = member._application._clock.utc(around.hub.desk.now)
    assert [one.value.value for one in shown if one.value][1] == account.balance(now)
    register = around.hub.read(member.plan.eui64, metering.CLUSTER, 0, sealed=True)
    assert register is not None
    assert register[0].value is not None
    assert register[0].value.value > 0  # type: ignore[operator] # a number


def test_a_smets1_display_asks_the_meter_past_the_hub() -> None:
    around = _agreed(_home("smets1", roles=["esme", "ppmid"], display="demo-s1-ppmid"))
    display = around.member("ppmid").plan.application
    assert isinstance(display, Smets1Display)
    around.hub.wait(2_000)
    now = around.member("ppmid")._application._clock.utc(around.hub.desk.now)
    around.member("ppmid")._application._perform(display.press(now), around.hub.desk.now)
    around.hub.wait(2_000)
    assert display.screen.link is Link.GOOD
    assert display.screen.prepayment is not None
    assert not [one for one in around.hub.heard if one.aps.cluster == prepayment.CLUSTER]


def test_a_smets1_meter_opens_its_tunnel_to_the_hub() -> None:
    around = _agreed(_home("smets1", roles=["esme"]))
    assert any(one.aps.cluster == 0x0704 for one in around.hub.heard)


def test_what_no_device_is_serves_nothing() -> None:
    assert served_clusters(object()) == ()
