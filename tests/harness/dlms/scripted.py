"""A small COSEM server out of the codecs: just enough of one to speak to a client."""

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.codecs.dlms import acse, acse_release, apdu, apdu_action, apdu_get, apdu_set, initiate
from emulator.codecs.dlms.acse import (
    AssociationRequest,
    AssociationResponse,
    AssociationResult,
    Authentication,
    Mechanism,
)
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_blocks import Awaiting, BlockCollector, BlockFault, BlockSender
from emulator.codecs.dlms.apdu_ciphered import CIPHERED_TAGS, Form
from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.codecs.dlms.apdu_exception import encode as encode_exception
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    DataBlock,
    Descriptor,
)
from emulator.codecs.dlms.axdr import Data, Tag, decode, octets
from emulator.codecs.dlms.axdr import encode as encode_data
from emulator.codecs.dlms.initiate import Conformance, InitiateResponse
from emulator.crypto.dlms_authentication import hls_refusal, hls_reply
from emulator.crypto.dlms_keys import InvocationCounters, SecurityKeys
from emulator.crypto.dlms_security import Opened, SecurityContext
from harness.dlms.settings import OFFERED
from harness.meter import Credentials

CLIENT_TITLE = b"SBC\x00\x00\x00\x00\x01"
SERVER_TITLE = b"MTR\x00\x00\x00\x00\x09"
KEYS = SecurityKeys(bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48)))
SECRET = b"12345678"
CLOCK = Attribute(Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
NAME = Attribute(Descriptor(1, bytes((0, 0, 42, 0, 0, 255)), 2))
METHOD = Descriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1)
NOT_ALLOWED = encode_exception(
    ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ServiceError.OPERATION_NOT_POSSIBLE)
)


def public(**more: object) -> Credentials:
    return Credentials("public", 16, **more)  # type: ignore[arg-type]  # any field of it


def reader_lls(secret: bytes = SECRET) -> Credentials:
    return Credentials("reader", 2, Mechanism.LLS, secret)


def management(form: Form = Form.SERVICE_GLOBAL, keys: SecurityKeys = KEYS) -> Credentials:
    return Credentials("management", 1, Mechanism.HLS_GMAC, None, keys, CLIENT_TITLE, form=form)


def _as_is(octets_: bytes) -> bytes:
    return octets_


def _as_it_is(response: AssociationResponse) -> AssociationResponse:
    return response


@dataclass
class ScriptedServer:
    """One association, attributes in a table; long answers and long requests go in blocks.

    Attributes:
        values: Attribute -> value or refusal; what is not there is undefined.
        written: What was set.
        invoked: Methods and parameters.
        spoil: Called with every plain answer before it is protected; may replace it.
    """

    values: dict[Descriptor, Data | DataAccessResult] = field(default_factory=dict)
    written: list[tuple[Attribute, Data]] = field(default_factory=list)
    invoked: list[tuple[Descriptor, Data | None]] = field(default_factory=list)
    outcome: MethodOutcome = field(default_factory=lambda: MethodOutcome(ActionResult.SUCCESS))
    conformance: Conformance = OFFERED
    max_pdu_bytes: int = 1024
    answer_bytes: int = 1024
    keys: SecurityKeys = KEYS
    challenge: bytes = bytes(range(100, 116))
    refuse: tuple[AssociationResult, int] | None = None
    spoil: Callable[[bytes], bytes] = _as_is
    spoil_sealed: Callable[[bytes], bytes] = _as_is
    spoil_aare: Callable[[AssociationResponse], AssociationResponse] = _as_it_is
    spoil_proof: Callable[[bytes], bytes] = _as_is
    requests: list[bytes] = field(default_factory=list)
    plain_requests: list[bytes] = field(default_factory=list)
    associations: int = 0

    def __post_init__(self) -> None:
        self.counters = InvocationCounters()
        self.context: SecurityContext | None = None
        self.associated = False
        self.asked = b""
        self.sender: BlockSender | None = None
        self.collector: BlockCollector | None = None
        self.target: object = None

    def __call__(self, request: bytes) -> bytes | None:
        self.requests.append(request)
        if request[0] == acse.AARQ_TAG:
            return self.associate(acse.decode_request(request))
        if request[0] == acse_release.RLRQ_TAG:
            self.associated = False
            return acse_release.encode_response(acse_release.ReleaseResponse())
        if not self.associated:
            return NOT_ALLOWED
        form, plain = Form.PLAIN, request
        if self.context is not None:
            opened = self.context.open(request)
            if not isinstance(opened, Opened):
                return NOT_ALLOWED
            form, plain = opened.form, opened.plain
        self.plain_requests.append(plain)
        answer = self.spoil(self.answer(plain))
        if self.context is None:
            return answer
        return self.spoil_sealed(self.context.seal(answer, form))

    # -- association -----------------------------------------------------------------------------

    def associate(self, request: AssociationRequest) -> bytes:
        self.associations += 1
        self.context, self.associated = None, False
        information = request.user_information or b""
        form = Form.PLAIN
        if information[:1] and information[0] in CIPHERED_TAGS:
            self.context = SecurityContext(
                self.keys, self.counters, own_title=SERVER_TITLE, peer_title=request.title or b""
            )
            opened = self.context.open(information)
            if not isinstance(opened, Opened):
                return self.refusal(request, AssociationResult.REJECTED_PERMANENT, 13)
            information, form = opened.plain, opened.form
        offered = initiate.decode_request(information)
        if self.refuse is not None:
            return self.refusal(request, *self.refuse)
        unit = request.authentication
        mechanism = Mechanism.NONE if unit is None else unit.mechanism
        if unit is not None and mechanism == Mechanism.LLS and unit.value != SECRET:
            return self.refusal(request, AssociationResult.REJECTED_PERMANENT, 13)
        if self.context is not None and offered.dedicated_key is not None:
            self.context.dedicate(offered.dedicated_key)
        granted = initiate.encode_response(
            InitiateResponse(offered.conformance & self.conformance, self.max_pdu_bytes)
        )
        if self.context is not None:
            granted = self.context.seal(granted, form)
        hls = mechanism == Mechanism.HLS_GMAC
        if hls and unit is not None:
            self.asked, self.peer = unit.value or b"", request.title or b""
        self.associated = True
        return acse.encode_response(
            self.spoil_aare(
                AssociationResponse(
                    request.context,
                    AssociationResult.ACCEPTED,
                    diagnostic=14 if hls else 0,
                    user_information=granted,
                    title=SERVER_TITLE,
                    authentication=Authentication(mechanism, self.challenge) if hls else None,
                )
            )
        )

    def refusal(self, request: AssociationRequest, result: AssociationResult, why: int) -> bytes:
        return acse.encode_response(AssociationResponse(request.context, result, diagnostic=why))

    # -- services --------------------------------------------------------------------------------

    def answer(self, plain: bytes) -> bytes:
        if plain[0] == apdu_get.REQUEST_TAG:
            return apdu_get.encode_response(self.get(apdu_get.decode_request(plain)))
        if plain[0] == apdu_set.REQUEST_TAG:
            return apdu_set.encode_response(self.set(apdu_set.decode_request(plain)))
        if plain[0] == apdu_action.REQUEST_TAG:
            return apdu_action.encode_response(self.action(apdu_action.decode_request(plain)))
        raise AssertionError(apdu.decode(plain))

    def get(self, request: apdu_get.AnyGetRequest) -> apdu_get.AnyGetResponse:
        if isinstance(request, apdu_get.GetNextRequest):
            assert self.sender is not None
            block = self.sender.next(request.number, self.answer_bytes)
            assert isinstance(block, DataBlock)
            return apdu_get.GetBlockResponse(request.invoke, block)
        if isinstance(request, apdu_get.GetRequest):
            result = self.value(request.attribute)
            whole: apdu_get.AnyGetResponse = apdu_get.GetResponse(request.invoke, result)
            content = encode_data(result) if isinstance(result, Data) else b""
        else:
            results = tuple(self.value(item) for item in request.attributes)
            whole = apdu_get.GetListResponse(request.invoke, results)
            content = apdu_get.encode_results(results)
        if len(apdu_get.encode_response(whole)) <= self.answer_bytes:
            return whole
        self.sender = BlockSender(content)
        return apdu_get.GetBlockResponse(request.invoke, self.sender.first(self.answer_bytes))

    def value(self, attribute: Attribute) -> Data | DataAccessResult:
        return self.values.get(attribute.descriptor, DataAccessResult.OBJECT_UNDEFINED)

    def set(self, request: apdu_set.AnySetRequest) -> apdu_set.AnySetResponse:
        invoke = request.invoke
        if isinstance(request, apdu_set.SetRequest):
            return apdu_set.SetResponse(invoke, self.store(request.attribute, request.value))
        if isinstance(request, apdu_set.SetListRequest):
            pairs = zip(request.attributes, request.values, strict=True)
            return apdu_set.SetListResponse(invoke, tuple(self.store(*pair) for pair in pairs))
        if isinstance(request, apdu_set.SetFirstBlockRequest):
            self.collector, self.target = BlockCollector(1 << 20), request.attribute
        elif isinstance(request, apdu_set.SetListFirstBlockRequest):
            self.collector, self.target = BlockCollector(1 << 20), request.attributes
        assert self.collector is not None
        step = self.collector.take(request.block)
        assert not isinstance(step, BlockFault)
        if isinstance(step, Awaiting):
            return apdu_set.SetBlockResponse(invoke, step.number)
        if isinstance(self.target, Attribute):
            result = self.store(self.target, decode(step.octets))
            return apdu_set.SetLastBlockResponse(invoke, result, step.number)
        assert isinstance(self.target, tuple)
        values = apdu_set.decode_values(step.octets)
        results = tuple(self.store(*pair) for pair in zip(self.target, values, strict=True))
        return apdu_set.SetLastListBlockResponse(invoke, results, step.number)

    def store(self, attribute: Attribute, value: Data) -> DataAccessResult:
        if attribute.descriptor not in self.values:
            return DataAccessResult.OBJECT_UNDEFINED
        self.written.append((attribute, value))
        self.values[attribute.descriptor] = value
        return DataAccessResult.SUCCESS

    def action(self, request: apdu_action.AnyActionRequest) -> apdu_action.AnyActionResponse:
        invoke = request.invoke
        if isinstance(request, apdu_action.ActionNextRequest):
            assert self.sender is not None
            block = self.sender.next(request.number, self.answer_bytes)
            assert isinstance(block, DataBlock)
            return apdu_action.ActionBlockResponse(invoke, block)
        if isinstance(request, apdu_action.ActionRequest):
            return self.invoke_now(invoke, request.method, request.parameters)
        if isinstance(request, apdu_action.ActionFirstBlockRequest):
            self.collector, self.target = BlockCollector(1 << 20), request.method
        assert isinstance(
            request, apdu_action.ActionFirstBlockRequest | apdu_action.ActionBlockRequest
        )
        assert self.collector is not None
        step = self.collector.take(request.block)
        assert not isinstance(step, BlockFault)
        if isinstance(step, Awaiting):
            return apdu_action.ActionNextResponse(invoke, step.number)
        assert isinstance(self.target, Descriptor)
        return self.invoke_now(invoke, self.target, decode(step.octets))

    def invoke_now(
        self, invoke: int, method: Descriptor, parameters: Data | None
    ) -> apdu_action.AnyActionResponse:
        if method.class_id == 15 and self.asked:
            return apdu_action.ActionResponse(invoke, self.prove(parameters))
        self.invoked.append((method, parameters))
        whole = apdu_action.ActionResponse(invoke, self.outcome)
        if len(apdu_action.encode_response(whole)) <= self.answer_bytes:
            return whole
        self.sender = BlockSender(apdu_action.encode_outcome(self.outcome))
        return apdu_action.ActionBlockResponse(invoke, self.sender.first(self.answer_bytes))

    def prove(self, proof: Data | None) -> MethodOutcome:
        assert proof is not None
        assert proof.tag is Tag.OCTETS
        assert isinstance(proof.value, bytes)
        if hls_refusal(self.keys, title=self.peer, challenge=self.challenge, reply=proof.value):
            self.associated = False
            return MethodOutcome(ActionResult.OTHER_REASON)
        own = hls_reply(self.keys, self.counters, title=SERVER_TITLE, challenge=self.asked)
        return MethodOutcome(ActionResult.SUCCESS, octets(self.spoil_proof(own)))
