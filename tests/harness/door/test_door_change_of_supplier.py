"""6.23 at the door: the change-of-supplier party puts a new supplier into the meters."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.credentials import read_response as read_replaced
from emulator.core.clock import UtcMs, from_datetime, to_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing, sign
from harness.door.homes import Homes
from harness.door.settling import HOUR_MS, Patience
from harness.door.sorting import code_of
from harness.door.trust import ISSUING, PARTICIPANT
from harness.formats.duis import date_time, smets1_bodies
from harness.formats.duis.bodies import RequestBody, SignedPreCommand
from harness.formats.duis.credential_alerts import SecurityCredentialsUpdated
from harness.formats.duis.requests import RequestHeader, ServiceRequest, write_request
from harness.formats.duis.responses import (
    DccAlertMessage,
    FutureDatedDeviceAlert,
    GbcsPayload,
    PreCommand,
    ResponseMessage,
    read_response,
)
from harness.formats.duis.smets1_bodies import (
    CertificatePath,
    PartyRole,
    ReplacementCertificates,
    RequestHandover,
    UpdateCredentialsCos,
)
from tests.harness.door.door_kit import DEMO, EIS, ESME, GSME, OTHER, Served, device, opened

GPF = device(DEMO, DeviceType.GPF)
POINTS = {
    ESME: DEMO.of(DeviceType.ESME)[0].mpxn or "",
    GSME: DEMO.of(DeviceType.GSME)[0].mpxn or "",
    GPF: DEMO.of(DeviceType.GSME)[0].mpxn or "",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A home of one supplier, and another supplier that is a service user."""
    folder = tmp_path_factory.mktemp("gaining")
    homes = Homes((DEMO,), (), users=(OTHER,))
    with opened(homes, folder, folder / "state", patience=Patience(quiet_ms=60_000)) as here:
        yield here


def given(store: KeyStore, party: Eui64) -> ReplacementCertificates:
    wanted = ((KeyUsage.DS, False), (KeyUsage.KA, False), (KeyUsage.KA, True))
    found = [store.find(party, usage, prepayment) for usage, prepayment in wanted]
    ders = [entry.certificate for entry in found if entry is not None]
    return ReplacementCertificates(*ders)


def path_of(here: Served) -> CertificatePath:
    octets = (here.trust / PARTICIPANT / ISSUING).read_bytes()
    return CertificatePath((x509.load_pem_x509_certificate(octets).public_bytes(Encoding.DER),))


def change(
    here: Served, target: Eui64, party: Eui64, at: UtcMs | None = None
) -> UpdateCredentialsCos:
    certificates = given(here.keys, party)
    return UpdateCredentialsCos(
        POINTS[target], certificates, path_of(here), top_up_floor=0, execution_time=at
    )


def ask(here: Served, user: Eui64, target: Eui64, body: RequestBody) -> tuple[str, list[bytes]]:
    """The code at once, and every document that came for it."""
    octets = here.signed(body, here.identity(user, target), here.key(user))
    sent = here.way("http").send(octets)
    assert sent.refusal is None, sent.refusal
    here.settle()
    assert here.door.broken is None, here.door.broken
    if sent.id is None:
        assert sent.document is not None
        return read_response(sent.document).header.code, [sent.document]
    found = [here.door.exchange.answer(sent.id, number) for number in (1, 2)]
    documents = [one.document for one in found if one is not None]
    return read_response(documents[0]).header.code, documents


def payload_of(document: bytes) -> bytes:
    body = read_response(document).body
    assert isinstance(body, ResponseMessage)
    assert isinstance(body.content, GbcsPayload)
    return envelope.decode(body.content.octets).payload


def arms(here: Served, user: Eui64, target: Eui64) -> str:
    """Have a supplier arm the supply: what the DSP says, and whether the meter answers."""
    identity = here.identity(user, target)
    body = smets1_bodies.ArmSupply()
    sent = here.way("http").send(here.signed(body, identity, here.key(user)))
    assert sent.document is not None
    first = read_response(sent.document)
    if first.header.code != "I0":
        return first.header.code
    assert isinstance(first.body, ResponseMessage)
    assert isinstance(first.body.content, PreCommand)
    env = sign(envelope.decode(first.body.content.gbcs_payload), KeyRing(here.keys))
    command = SignedPreCommand(envelope.encode(env))
    asked = ServiceRequest(RequestHeader(identity, 5, "7.3", "7.3"), command)
    told = here.way("http").send(write_request(asked, here.key(user)))
    here.settle()
    assert told.id is not None
    answer = here.door.exchange.answer(told.id)
    return "" if answer is None else code_of(read_response(answer.document))


@pytest.mark.parametrize("target", [ESME, GSME])
def test_a_meter_obeys_its_new_supplier_and_no_longer_the_old_one(
    tmp_path: Path, target: Eui64
) -> None:
    homes = Homes((DEMO,), (), users=(OTHER,))
    with opened(homes, tmp_path, patience=Patience(quiet_ms=60_000)) as here:
        assert (arms(here, EIS, target), arms(here, OTHER, target)) == ("I0", "E4")
        code, documents = ask(here, OTHER, target, change(here, target, OTHER))
        assert code == "I0"
        reported = read_replaced(payload_of(documents[0]))
        assert reported is not None
        assert reported.success
        assert (arms(here, OTHER, target), arms(here, EIS, target)) == ("I0", "E4")
        alerts = [read_response(one.document).body for one in here.door.exchange.alerts(0, EIS)]
        told = [one.alert for one in alerts if isinstance(one, DccAlertMessage)]
        updated = [one for one in told if isinstance(one, SecurityCredentialsUpdated)]
        assert [(one.device, len(one.certificates)) for one in updated] == [(target, 3)]
        # the meter itself, past a DSP that forgot who supplies it
        world = here.door.world
        record = world.dsp.inventory.find(target)
        assert record is not None
        world.dsp.inventory.put(replace(record, supplier=EIS))
        assert arms(here, EIS, target) == "N13", "the meter obeyed the old supplier"


def test_a_door_opened_again_knows_the_new_supplier_and_what_is_dated(tmp_path: Path) -> None:
    homes, state = Homes((DEMO,), (), users=(OTHER,)), tmp_path / "state"
    patience = Patience(quiet_ms=60_000)
    with opened(homes, tmp_path, state, patience=patience) as here:
        assert ask(here, OTHER, ESME, change(here, ESME, OTHER))[0] == "I0"
        now = here.door.intake.now()
        at = UtcMs((now + 40 * 24 * HOUR_MS) // 1000 * 1000)  # not jumped to
        assert ask(here, OTHER, GSME, change(here, GSME, OTHER, at))[0] == "I0"
        heard, counters = here.door.exchange.alerts(0, EIS), here.counters
    with opened(homes, tmp_path, state, patience=patience) as here:
        here.counters.update(counters)
        assert here.door.exchange.alerts(0, EIS) == heard
        assert (arms(here, OTHER, ESME), arms(here, EIS, ESME)) == ("I0", "E4")
        assert (arms(here, EIS, GSME), arms(here, OTHER, GSME)) == ("I0", "E4")
        assert here.door.world.dsp.changes.ordered
        code, _ = ask(here, OTHER, GSME, change(here, GSME, OTHER, date_time.CANCEL))
        assert (code, here.door.world.dsp.changes.ordered) == ("I0", {})


def test_what_is_not_the_asker_s_to_change_is_refused_by_its_code(home: Served) -> None:
    good = change(home, ESME, OTHER)
    others = replace(good, certificates=given(home.keys, EIS))
    elsewhere = replace(good, mpxn=POINTS[GSME])
    rootless = replace(good, path=CertificatePath((good.certificates.signing or b"",)))
    handover = RequestHandover(PartyRole.SUPPLIER, good.certificates, good.path)
    operator = RequestHandover(PartyRole.NETWORK_OPERATOR, good.certificates, good.path)
    world = home.door.world
    cases: dict[str, tuple[Eui64, RequestBody, str]] = {
        "certificates of another": (ESME, others, "E062302"),
        "another meter point": (ESME, elsewhere, "E062301"),
        "no way to an issuer": (ESME, rootless, "E062302"),
        "a place that is a supplier's": (GPF, handover, "E062101"),
        "a place of an operator": (GPF, operator, "E2"),
    }
    found = {name: ask(home, OTHER, target, body)[0] for name, (target, body, _) in cases.items()}
    assert found == {name: code for name, (_target, _body, code) in cases.items()}
    world.dsp.supplies[POINTS[ESME]] = EIS
    assert ask(home, OTHER, ESME, good)[0] == "E062301"
    del world.dsp.supplies[POINTS[ESME]]


def test_a_change_with_a_date_is_told_twice_and_another_is_taken_back(home: Served) -> None:
    now = home.door.intake.now()
    at = from_datetime((to_datetime(now) + timedelta(hours=2)).replace(microsecond=0))
    code, documents = ask(home, OTHER, GPF, change(home, GPF, OTHER, at))
    assert code == "I0"
    assert len(documents) == 2
    later = read_response(documents[1]).body
    assert isinstance(later, ResponseMessage)
    assert isinstance(later.content, FutureDatedDeviceAlert)
    assert (later.variant, later.content.alert_code) == ("6.23", 0x8F66)
    record = home.door.world.dsp.inventory.find(GPF)
    assert record is not None
    assert record.supplier == OTHER
    far = UtcMs(home.door.intake.now() + 40 * 24 * HOUR_MS)  # not jumped to
    far = UtcMs(far - far % 1000)
    assert len(ask(home, OTHER, ESME, change(home, ESME, OTHER, far))[1]) == 1
    assert home.door.world.dsp.changes.ordered
    code, documents = ask(home, OTHER, ESME, change(home, ESME, OTHER, date_time.CANCEL))
    assert (code, len(documents)) == ("I0", 1)
    assert not home.door.world.dsp.changes.ordered
