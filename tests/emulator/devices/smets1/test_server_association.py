"""Association requests: who is let in, and what each kind of refusal says."""

from dataclasses import replace
from typing import Any

import pytest

from emulator.codecs.dlms import acse, acse_release, axdr, initiate
from emulator.codecs.dlms.acse import (
    AssociationResult,
    Authentication,
    DiagnosticSource,
    Mechanism,
)
from emulator.codecs.dlms.acse_release import ReleaseReason, ReleaseRequest
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.codecs.dlms.initiate import ConfirmedServiceError, Conformance, InitiateError
from emulator.core.chance import Chance
from emulator.core.effects import DeviceEvent
from emulator.crypto.dlms_factory import factory_keys
from emulator.crypto.dlms_security import Opened
from emulator.devices.smets1.association import REPLY_TO_HLS
from emulator.devices.smets1.device import Smets1Device
from tests.emulator.devices.smets1.server_kit import (
    ALL_SERVICES,
    EUI64,
    EVERYTHING,
    FORMS,
    MANAGER,
    NOW,
    PLAIN_HLS,
    PLAIN_SIGNER,
    PROVERS,
    PUBLIC,
    READER,
    SERIAL_A2,
    STORE_A2,
    WRITER,
    Client,
    associated,
    keys,
    notes,
    powered,
    tree,
)

GOLDEN_AARQ = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400001A1DFFFF")
GOLDEN_GET = bytes.fromhex("C001C100010000600100FF0200")
GOLDEN_ANSWER = bytes.fromhex("C401C100090A31345031323334353637")
NOT_ASSOCIATED = bytes.fromhex("D80101")
UNREADABLE = bytes.fromhex("D80203")


def _refused(client: Client) -> str:
    (note,) = notes(client.effects, "dlms_refused")
    return str(note["reason"])


def test_the_golden_request_of_the_public_client_is_granted_and_the_golden_read_answered() -> None:
    client = Client(powered())
    answer = client.send(GOLDEN_AARQ)
    assert answer == bytes.fromhex(
        "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001A1D04000007"
    )
    assert client.send(GOLDEN_GET) == GOLDEN_ANSWER


@pytest.mark.parametrize("suite", [0, 1])
@pytest.mark.parametrize("sap", [PUBLIC, READER, WRITER, *sorted(PROVERS)])
def test_every_client_of_the_profile_associates_in_its_own_way(sap: int, suite: int) -> None:
    client = Client(powered(suite=suite), sap)
    granted = client.associate()
    assert granted.max_pdu_bytes == 1024
    assert granted.conformance == ALL_SERVICES
    assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")


def test_conformance_is_what_both_sides_have() -> None:
    client = Client(powered(conformance=("get", "set")))
    granted = client.associate(client.offer(conformance=Conformance.GET | Conformance.ACTION))
    assert granted.conformance is Conformance.GET


def test_a_title_is_given_only_where_the_client_needs_it() -> None:
    assert Client(powered()).request().title is None
    assert Client(powered(), PLAIN_HLS).request().title == EUI64.octets


@pytest.mark.parametrize(
    ("sap", "mechanism", "octets"),
    [(PLAIN_HLS, Mechanism.HLS_GMAC, 16), (PLAIN_SIGNER, Mechanism.HLS_ECDSA, 32)],
)
def test_hls_is_accepted_with_diagnostic_14_and_a_challenge(
    sap: int, mechanism: Mechanism, octets: int
) -> None:
    response = Client(powered(), sap).request()
    assert response.result is AssociationResult.ACCEPTED
    assert response.diagnostic == 14
    assert response.authentication is not None
    assert response.authentication.mechanism == mechanism
    assert len(response.authentication.value or b"") == octets


def test_challenges_come_from_the_seed_and_never_repeat() -> None:
    def challenges() -> list[bytes]:
        client = Client(powered(), PLAIN_HLS)
        found = [client.request().authentication for _ in range(3)]
        return [item.value or b"" for item in found if item is not None]

    first = challenges()
    assert len(set(first)) == 3
    assert challenges() == first


@pytest.mark.parametrize(
    ("sap", "server", "changes", "diagnostic", "reason"),
    [
        (77, 1, {}, 1, "unknown_client"),
        (PUBLIC, 2, {}, 1, "unknown_client"),
        (PUBLIC, 1, {"context": 3}, 2, "wrong_context"),
        (PUBLIC, 1, {"context": 2}, 2, "wrong_context"),
        (MANAGER, 1, {"context": 1}, 2, "wrong_context"),
        (READER, 1, {"authentication": Authentication(0)}, 11, "wrong_mechanism"),
        (READER, 1, {"authentication": Authentication(5, bytes(16))}, 11, "wrong_mechanism"),
        (READER, 1, {"authentication": Authentication(99)}, 11, "wrong_mechanism"),
        (READER, 1, {"authentication": None}, 12, "mechanism_required"),
        (PUBLIC, 1, {"authentication": Authentication(1, b"00000000")}, 11, "wrong_mechanism"),
        (READER, 1, {"authentication": Authentication(1, b"00000000")}, 13, "wrong_secret"),
        (READER, 1, {"authentication": Authentication(1, b"")}, 13, "wrong_secret"),
        (READER, 1, {"authentication": Authentication(1)}, 13, "wrong_secret"),
        (PLAIN_HLS, 1, {"title": None}, 3, "wrong_title"),
        (PLAIN_HLS, 1, {"title": bytes(7)}, 3, "wrong_title"),
        (PLAIN_HLS, 1, {"title": EUI64.octets}, 3, "wrong_title"),
        (MANAGER, 1, {"title": None}, 3, "wrong_title"),
        (PLAIN_HLS, 1, {"authentication": Authentication(5)}, 13, "challenge_length"),
        (PLAIN_HLS, 1, {"authentication": Authentication(5, bytes(7))}, 13, "challenge_length"),
        (PLAIN_HLS, 1, {"authentication": Authentication(5, bytes(65))}, 13, "challenge_length"),
        (PLAIN_SIGNER, 1, {"authentication": Authentication(7, bytes(31))}, 13, "challenge_length"),
        (PLAIN_SIGNER, 1, {"authentication": Authentication(5, bytes(32))}, 11, "wrong_mechanism"),
        (PLAIN_SIGNER, 1, {"title": None}, 3, "wrong_title"),
        (PUBLIC, 1, {"user_information": None}, 1, "no_initiate"),
        (MANAGER, 1, {"user_information": bytes.fromhex("0100")}, 13, "not_protected"),
        (MANAGER, 1, {"user_information": b""}, 13, "malformed_initiate"),
        (MANAGER, 1, {"user_information": bytes.fromhex("2100")}, 13, "malformed_initiate"),
    ],
)
def test_a_wrong_request_is_refused_with_its_diagnostic_and_leaves_nothing(
    sap: int, server: int, changes: dict[str, Any], diagnostic: int, reason: str
) -> None:
    client = Client(powered(), sap, server=server)
    before = client.meter.dump()
    response = client.request(**changes)
    assert response.result is AssociationResult.REJECTED_PERMANENT
    assert (response.source, response.diagnostic) == (DiagnosticSource.SERVICE_USER, diagnostic)
    assert response.user_information is None
    assert _refused(client) == reason
    assert client.meter.dump() == before
    assert client.send(GOLDEN_GET) == NOT_ASSOCIATED


def test_a_request_without_acse_version_1_is_refused_by_the_provider() -> None:
    client = Client(powered())
    response = client.request(version=bytes.fromhex("0640"))
    assert response.source is DiagnosticSource.SERVICE_PROVIDER
    assert response.diagnostic == 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"version": 5}, InitiateError.DLMS_VERSION_TOO_LOW),
        ({"max_pdu_bytes": 11}, InitiateError.PDU_SIZE_TOO_SHORT),
        ({"max_pdu_bytes": 1}, InitiateError.PDU_SIZE_TOO_SHORT),
        ({"conformance": Conformance(0)}, InitiateError.INCOMPATIBLE_CONFORMANCE),
        ({"conformance": Conformance.READ}, InitiateError.INCOMPATIBLE_CONFORMANCE),
    ],
)
def test_a_wrong_initiate_request_is_named_by_a_service_error(
    changes: dict[str, object], error: InitiateError
) -> None:
    client = Client(powered())
    response = client.request(client.offer(**changes))
    assert response.result is AssociationResult.REJECTED_PERMANENT
    assert response.diagnostic == 1
    found = initiate.decode_error(response.user_information or b"")
    assert found == ConfirmedServiceError(error)
    assert not client.meter.door.standing


@pytest.mark.parametrize("limit", [12, 41])
def test_a_client_that_ciphers_must_take_longer_apdus(limit: int) -> None:
    client = Client(powered(), MANAGER)
    response = client.request(client.offer(max_pdu_bytes=limit))
    found = initiate.decode_error(response.user_information or b"")
    assert found.reason == InitiateError.PDU_SIZE_TOO_SHORT


@pytest.mark.parametrize(
    "octets", ["", "02", "01", "0100000006", "0100000006" + "5F1F0400001A1DFF"]
)
def test_an_unreadable_initiate_request_is_an_error_of_another_kind(octets: str) -> None:
    client = Client(powered())
    response = client.request(user_information=bytes.fromhex(octets))
    found = initiate.decode_error(response.user_information or b"")
    assert found == ConfirmedServiceError(InitiateError.OTHER)


def test_a_limit_of_zero_octets_is_no_limit() -> None:
    client = Client(powered())
    assert client.associate(client.offer(max_pdu_bytes=0)).max_pdu_bytes == 1024


def test_a_dedicated_key_of_a_wrong_length_is_refused() -> None:
    client = Client(powered(), MANAGER)
    plain = initiate.encode_request(client.offer(dedicated_key=bytes(15)))
    client.aarq()
    assert client.security is not None
    information = client.security.seal(plain, Form.SERVICE_GLOBAL)
    request = replace(client.aarq(), user_information=information)
    answer = client.send(acse.encode_request(request))
    found = initiate.decode_error(acse.decode_response(answer or b"").user_information or b"")
    assert found == ConfirmedServiceError(InitiateError.OTHER)


def test_a_wrong_key_is_an_authentication_failure() -> None:
    client = Client(powered(), MANAGER, held=factory_keys(8, EUI64))
    response = client.request()
    assert (response.result, response.diagnostic) == (1, 13)
    assert _refused(client) == "not_authentic"


def test_a_replayed_request_of_a_ciphered_association_is_refused() -> None:
    client = Client(powered(), MANAGER)
    octets = acse.encode_request(client.aarq())
    client.send(octets)
    client.meter.handle(DeviceEvent.DLMS_GONE, client.channel, NOW)
    response = acse.decode_response(client.send(octets) or b"")
    assert (response.result, response.diagnostic) == (1, 13)
    assert _refused(client) == "counter_not_rising"


@pytest.mark.parametrize("octets", ["60", "6000", "601DA109", GOLDEN_AARQ.hex() + "00"])
def test_an_unreadable_request_is_answered_with_an_exception(octets: str) -> None:
    client = Client(powered())
    assert client.send(bytes.fromhex(octets)) == UNREADABLE
    assert _refused(client) == "malformed"


def test_an_unconfirmed_association_stands_without_an_answer() -> None:
    client = Client(powered())
    plain = initiate.encode_request(client.offer(response_allowed=0))
    request = replace(client.aarq(), user_information=plain)
    assert client.send(acse.encode_request(request)) is None
    assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")


def test_an_unconfirmed_association_that_is_refused_has_no_answer_either() -> None:
    client = Client(powered())
    plain = initiate.encode_request(client.offer(response_allowed=0, version=5))
    request = replace(client.aarq(), user_information=plain)
    assert client.send(acse.encode_request(request)) is None
    assert _refused(client) == "dlms_version_too_low"


def test_hls_without_an_answer_makes_no_sense_and_is_refused() -> None:
    client = Client(powered(), PLAIN_HLS)
    plain = initiate.encode_request(client.offer(response_allowed=0))
    request = replace(client.aarq(), user_information=plain)
    assert client.send(acse.encode_request(request)) is None
    assert not client.meter.door.standing


# -- proof -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sap", sorted(PROVERS))
def test_until_the_proof_nothing_but_the_proof_is_allowed(sap: int) -> None:
    client = Client(powered(), sap)
    response = client.request()
    if client.security is not None:
        assert isinstance(client.security.open(response.user_information or b""), Opened)
    before = client.meter.dump()["objects"]
    assert client.ask(GOLDEN_GET) == NOT_ASSOCIATED
    assert client.ask(bytes.fromhex("C101C100010000600109FF020012BEEF")) == NOT_ASSOCIATED
    assert client.ask(bytes.fromhex("C301C1000900000A0000FF0100")) == NOT_ASSOCIATED
    assert _refused(client) == "not_proven"
    assert client.meter.dump()["objects"] == before
    client.prove(response)
    assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")


@pytest.mark.parametrize(
    ("sap", "octet"),
    [*((PLAIN_HLS, at) for at in range(17)), *((PLAIN_SIGNER, at) for at in range(0, 64, 9))],
)
def test_a_wrong_proof_is_refused_and_ends_the_association(sap: int, octet: int) -> None:
    client = Client(powered(), sap)
    reply = bytearray(client.reply(client.request()))
    reply[octet] ^= 1
    _refused_proof(client, bytes(reply))


@pytest.mark.parametrize("sap", [PLAIN_HLS, PLAIN_SIGNER])
@pytest.mark.parametrize("change", ["nothing", "short", "long"])
def test_a_proof_of_a_wrong_length_is_refused(sap: int, change: str) -> None:
    client = Client(powered(), sap)
    reply = client.reply(client.request())
    _refused_proof(client, {"nothing": b"", "short": reply[:-1], "long": reply + b"0"}[change])


def _refused_proof(client: Client, reply: bytes) -> None:
    outcome = client.act(REPLY_TO_HLS, axdr.octets(reply))
    assert outcome.result is ActionResult.OTHER_REASON
    assert outcome.returned is None
    (note,) = notes(client.effects, "dlms_released")
    assert note["why"] == "proof_failed"
    assert client.send(GOLDEN_GET) == NOT_ASSOCIATED


def test_a_client_may_prove_itself_though_it_may_invoke_nothing_else() -> None:
    client = associated(PLAIN_SIGNER)
    assert client.act(REPLY_TO_HLS, axdr.octets(bytes(64))).result.name == "READ_WRITE_DENIED"


def test_a_proof_by_another_signature_key_is_refused() -> None:
    client = Client(powered(), PLAIN_SIGNER, held=factory_keys(8, EUI64))
    _refused_proof(client, client.reply(client.request()))


def test_a_device_without_signature_keys_knows_no_ecdsa() -> None:
    held = replace(keys(), signing=None)
    model = powered().profile
    meter = Smets1Device(EUI64, model, tree(), held, Chance(1))
    meter.handle(DeviceEvent.POWER_ON, None, NOW)
    response = Client(meter, PLAIN_SIGNER).request()
    assert (response.result, response.diagnostic) == (1, 11)


def test_a_proof_for_an_earlier_challenge_is_worth_nothing() -> None:
    client = Client(powered(), PLAIN_HLS)
    old = client.reply(client.request())
    client.request()
    assert client.act(REPLY_TO_HLS, axdr.octets(old)).result is ActionResult.OTHER_REASON


def test_a_second_proof_is_refused_and_the_association_stands() -> None:
    client = Client(powered(), PLAIN_HLS)
    response = client.request()
    client.prove(response)
    reply = axdr.octets(client.reply(response))
    assert client.act(REPLY_TO_HLS, reply).result is ActionResult.OTHER_REASON
    assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")


def test_the_server_replies_to_the_clients_challenge_under_a_counter_of_its_own() -> None:
    client = associated(PLAIN_HLS)  # its kit checks the reply
    (note,) = notes(client.effects, "dlms_association")
    assert note["state"] == "proven"
    assert client.meter.security.counters.sent(keys().keys.unicast, EUI64.octets) == 1


# -- again, and the end ----------------------------------------------------------------------------


@pytest.mark.parametrize("sap", [PUBLIC, MANAGER, READER, PLAIN_HLS])
def test_a_new_request_replaces_the_association_that_stands(sap: int) -> None:
    client = associated(sap)
    response = client.request()
    assert response.result is AssociationResult.ACCEPTED
    (released,) = notes(client.effects, "dlms_released")
    assert released["why"] == "replaced"
    assert len(client.meter.door.standing) == 1


@pytest.mark.parametrize("sap", [MANAGER, READER, PLAIN_HLS])
def test_a_refused_request_leaves_the_association_that_stands(sap: int) -> None:
    client = associated(sap)
    security = client.security
    before = client.meter.dump()
    assert client.request(context=2).result is AssociationResult.REJECTED_PERMANENT
    assert client.meter.dump() == before
    client.security = security
    assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")


@pytest.mark.parametrize("sap", [PUBLIC, MANAGER, READER])
def test_a_release_is_answered_and_ends_the_association(sap: int) -> None:
    client = associated(sap)
    answer = client.send(acse_release.encode_request(ReleaseRequest(ReleaseReason.NORMAL)))
    released = acse_release.decode_response(answer or b"")
    assert released.reason is ReleaseReason.NORMAL
    assert released.user_information is None
    assert client.send(GOLDEN_GET) == NOT_ASSOCIATED


@pytest.mark.parametrize("form", FORMS)
def test_a_protected_release_is_answered_in_kind(form: Form) -> None:
    client = Client(powered(), MANAGER, form=form)
    client.associate(client.offer(dedicated_key=bytes(range(16))))
    assert client.security is not None
    sealed = client.security.seal(initiate.encode_request(client.offer()), form)
    answer = client.send(acse_release.encode_request(ReleaseRequest(None, sealed)))
    information = acse_release.decode_response(answer or b"").user_information
    opened = client.security.open(information or b"")
    assert isinstance(opened, Opened)
    assert opened.form is form
    assert initiate.decode_response(opened.plain).conformance == ALL_SERVICES
    assert not client.meter.door.standing


def test_a_release_whose_protection_is_wrong_or_missing_releases_nothing() -> None:
    client = associated(MANAGER)
    assert client.security is not None
    plain = initiate.encode_request(client.offer())
    sealed = bytearray(client.security.seal(plain, Form.SERVICE_GLOBAL))
    sealed[-1] ^= 1
    damaged = acse_release.encode_request(ReleaseRequest(None, bytes(sealed)))
    assert client.send(damaged) == UNREADABLE
    bare = acse_release.encode_request(ReleaseRequest(None, plain))
    assert client.send(bare) == NOT_ASSOCIATED
    assert client.send(bytes.fromhex("6203800100")[:-1]) == UNREADABLE
    assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")


def test_a_release_without_association_is_no_service() -> None:
    assert Client(powered()).send(bytes.fromhex("6203800100")) == NOT_ASSOCIATED


def test_each_kind_of_line_takes_as_many_clients_as_the_profile_says() -> None:
    meter = powered(hdlc=powered().settings.hdlc.model_copy(update={"max_links": 2}))
    clients = [
        Client(meter, sap, line) for sap, line in ((16, "tcp:1"), (2, "tcp:2"), (3, "tcp:3"))
    ]
    clients[0].associate()
    clients[1].associate()
    response = clients[2].request()
    assert response.result is AssociationResult.REJECTED_TRANSIENT
    assert _refused(clients[2]) == "too_many"
    Client(meter, PUBLIC, "optical").associate()
    clients[0].associate()
    meter.handle(DeviceEvent.DLMS_GONE, clients[0].channel, NOW)
    clients[2].associate()


def test_an_offer_of_services_by_name_takes_any_case_and_hyphens() -> None:
    names = tuple(name.upper().replace("_", "-") for name in EVERYTHING)
    client = Client(powered(conformance=names))
    assert client.associate().conformance == ALL_SERVICES


def test_rights_follow_the_association() -> None:
    meter = powered()
    reader, writer = Client(meter, READER, "tcp:1"), Client(meter, WRITER, "tcp:2")
    reader.associate()
    writer.associate()
    assert reader.put(STORE_A2, axdr.uint16(1)).name == "READ_WRITE_DENIED"
    assert writer.put(STORE_A2, axdr.uint16(1)).name == "SUCCESS"
    assert reader.get(STORE_A2) == axdr.uint16(1)
