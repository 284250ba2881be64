"""Version, configuration, policies, values, tokens and counters."""

from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import ExtendedValueId, MfgToken, ValueId
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import (
    BootloaderMode,
    ConfigAnswer,
    ConfigId,
    ConfigSetting,
    Counters,
    Endpoint,
    LibraryId,
    LibraryStatus,
    ManufacturerCode,
    MfgTokenId,
    MfgTokenSetting,
    Nothing,
    Octets,
    PolicyAnswer,
    PolicyId,
    PolicySetting,
    RandomNumber,
    StatusOctets,
    StatusOnly,
    TokenAt,
    TokenFactoryReset,
    TokenSetting,
    ValueSetting,
    VersionAnswer,
    VersionRequest,
)
from emulator.codecs.ezsp.values import (
    ExtendedValueId as ExtendedValueRequest,
)
from emulator.codecs.ezsp.values import (
    ValueId as ValueRequest,
)
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.ncp.join_table import RETURNING, JoinStage
from emulator.ncp.settings import CONFIGURATION, FREE_BUFFERS
from emulator.ncp.state import HandlerTable, NcpState

SYSTEM: Final = HandlerTable()
#: A mesh stack.
_MESH: Final = 2
_PRESENT: Final = 0x80
#: 241 to 254 are reserved, but 242 is where Green Power lives.
_LAST_ENDPOINT: Final = 254
_MFG_STRING_BYTES: Final = 16
_FRAME_COUNTERS: Final = frozenset({ValueId.NWK_FRAME_COUNTER, ValueId.APS_FRAME_COUNTER})
_NOT_BURNT: Final = bytes((0xFF,))
#: Certificate (48), authority's key (22), private key (21), flags (1): 0 in a token that is set.
_CBKE_DATA_BYTES: Final = 92
_BURNT: Final = bytes(1)
_WRITTEN_ONCE: Final = frozenset(
    {ValueId.CERTIFICATE_283K1, ValueId.PUBLIC_KEY_283K1, ValueId.PRIVATE_KEY_283K1}
)


@SYSTEM.handles(Frame.VERSION)
def version(ncp: NcpState, asked: VersionRequest) -> VersionAnswer:
    """Say what is spoken; other commands are answered once the host names that version."""
    spoken = ncp.identity.ezsp
    ncp.ram.version_set = asked.desired == spoken
    return VersionAnswer(spoken, _MESH, ncp.identity.stack_version)


@SYSTEM.handles(Frame.NOP)
def nop(_ncp: NcpState, _asked: Nothing) -> Nothing:
    """Do nothing."""
    return Nothing()


@SYSTEM.handles(Frame.ECHO)
def echo(_ncp: NcpState, asked: Octets) -> Octets:
    """Give the octets back."""
    return asked


@SYSTEM.handles(Frame.CUSTOM_FRAME)
def custom_frame(_ncp: NcpState, _asked: Octets) -> StatusOctets:
    """Refuse: the image has no extensions."""
    return StatusOctets(Status.NOT_SUPPORTED)


@SYSTEM.handles(Frame.GET_LIBRARY_STATUS)
def library_status(ncp: NcpState, asked: LibraryId) -> LibraryStatus:
    """Say whether a library is there or a stub."""
    return LibraryStatus(_PRESENT if asked.library in ncp.identity.libraries else 0)


@SYSTEM.handles(Frame.GET_RANDOM_NUMBER)
def random_number(ncp: NcpState, _asked: Nothing) -> RandomNumber:
    """Draw a number."""
    return RandomNumber(Status.OK, int.from_bytes(ncp.chance.octets(2), "little"))


@SYSTEM.handles(Frame.ADD_ENDPOINT)
def add_endpoint(ncp: NcpState, asked: Endpoint) -> StatusOnly:
    """Take an endpoint, before the network is up and once."""
    if ncp.ram.joined:
        return StatusOnly(Status.INVALID_STATE)
    if not 1 <= asked.endpoint <= _LAST_ENDPOINT or asked.endpoint in ncp.ram.endpoints:
        return StatusOnly(Status.INVALID_PARAMETER)
    ncp.ram.endpoints[asked.endpoint] = asked
    return StatusOnly()


@SYSTEM.handles(Frame.GET_CONFIGURATION_VALUE)
def configuration_value(ncp: NcpState, asked: ConfigId) -> ConfigAnswer:
    """Tell a configuration value."""
    value = ncp.ram.configuration.get(asked.config_id)
    return ConfigAnswer(Status.INVALID_ID, 0) if value is None else ConfigAnswer(Status.OK, value)


@SYSTEM.handles(Frame.SET_CONFIGURATION_VALUE)
def set_configuration_value(ncp: NcpState, asked: ConfigSetting) -> StatusOnly:
    """Take a configuration value within its limits."""
    limits = next((known for key, known in CONFIGURATION.items() if key == asked.config_id), None)
    if limits is None:
        return StatusOnly(Status.INVALID_ID)
    if not limits.least <= asked.value <= limits.most:
        return StatusOnly(Status.INVALID_PARAMETER)
    ncp.ram.configuration[asked.config_id] = asked.value
    return StatusOnly()


@SYSTEM.handles(Frame.GET_POLICY)
def policy(ncp: NcpState, asked: PolicyId) -> PolicyAnswer:
    """Tell the decision of a policy."""
    decision = ncp.ram.policies.get(asked.policy_id)
    if decision is None:
        return PolicyAnswer(Status.INVALID_ID, 0)
    return PolicyAnswer(Status.OK, decision)


@SYSTEM.handles(Frame.SET_POLICY)
def set_policy(ncp: NcpState, asked: PolicySetting) -> StatusOnly:
    """Take a decision."""
    if asked.policy_id not in ncp.ram.policies:
        return StatusOnly(Status.INVALID_ID)
    ncp.ram.policies[asked.policy_id] = asked.decision
    return StatusOnly()


@SYSTEM.handles(Frame.GET_VALUE)
def value(ncp: NcpState, asked: ValueRequest) -> StatusOctets:
    """Tell a value: one of the NCP's own, or one that was written."""
    own = _own_value(ncp, asked.value_id)
    found = own if own is not None else ncp.ram.values.get(asked.value_id)
    return StatusOctets(Status.INVALID_ID) if found is None else StatusOctets(Status.OK, found)


def _own_value(ncp: NcpState, value_id: int) -> bytes | None:
    """Return a value that is nowhere stored."""
    security = ncp.nv.security
    told = {
        int(ValueId.VERSION_INFO): ncp.identity.version_info,
        int(ValueId.FREE_BUFFERS): bytes((FREE_BUFFERS,)),
        int(ValueId.NODE_SHORT_ID): ncp.short.to_bytes(2, "little"),
        int(ValueId.STACK_IS_PERFORMING_REJOIN): bytes((ncp.ram.stage in RETURNING,)),
    }
    if ncp.ram.joined and security is not None:
        told[int(ValueId.NWK_FRAME_COUNTER)] = security.counter.to_bytes(4, "little")
    return told.get(value_id)


@SYSTEM.handles(Frame.SET_VALUE)
def set_value(ncp: NcpState, asked: ValueSetting) -> StatusOnly:
    """Take a value of the length it has; frame counters only while there is no network.

    Certificate and keys of sect283k1 can be written once, and never are here.
    """
    if asked.value_id in _WRITTEN_ONCE or (asked.value_id in _FRAME_COUNTERS and ncp.ram.joined):
        return StatusOnly(Status.INVALID_STATE)
    before = ncp.ram.values.get(asked.value_id)
    if before is None:
        return StatusOnly(Status.INVALID_ID)
    if len(asked.octets) != len(before):
        return StatusOnly(Status.INVALID_PARAMETER)
    ncp.ram.values[asked.value_id] = asked.octets
    return StatusOnly()


@SYSTEM.handles(Frame.GET_EXTENDED_VALUE)
def extended_value(ncp: NcpState, asked: ExtendedValueRequest) -> StatusOctets:
    """Tell the flags of an endpoint: two octets even when there is no such endpoint."""
    if asked.value_id == ExtendedValueId.ENDPOINT_FLAGS:
        there = asked.characteristics in ncp.ram.endpoints
        flags = (1 if there else 0).to_bytes(2, "little")
        return StatusOctets(Status.OK if there else Status.INVALID_PARAMETER, flags)
    if asked.value_id == ExtendedValueId.LAST_LEAVE_REASON:
        return StatusOctets(Status.OK, bytes(3))
    if asked.value_id == ExtendedValueId.GET_SOURCE_ROUTE_OVERHEAD:
        return StatusOctets(Status.OK, bytes(1))
    return StatusOctets(Status.INVALID_ID)


@SYSTEM.handles(Frame.GET_MFG_TOKEN)
def mfg_token(ncp: NcpState, asked: MfgTokenId) -> Octets:
    """Tell a manufacturing token; what was never written is all ones.

    Of the certificate's data the private key is kept back: as on a chip that is locked (inferred).
    """
    texts = {
        int(MfgToken.STRING): ncp.identity.manufacturer,
        int(MfgToken.BOARD_NAME): ncp.identity.board,
    }
    if asked.token in texts:
        text = texts[asked.token].encode("ascii")[:_MFG_STRING_BYTES]
        return Octets(text.ljust(_MFG_STRING_BYTES, _NOT_BURNT))
    own = ncp.identity.credentials.get(KeySuite.CBKE_163)
    if asked.token == MfgToken.CBKE_DATA and own is not None:
        told = own.certificate + own.authority_key
        return Octets(told.ljust(_CBKE_DATA_BYTES - 1, _NOT_BURNT) + _BURNT)
    sizes = {int(MfgToken.CUSTOM_EUI_64): 8, int(MfgToken.INSTALLATION_CODE): 20}
    sizes[int(MfgToken.CBKE_DATA)] = _CBKE_DATA_BYTES
    return Octets(_NOT_BURNT * sizes.get(asked.token, 2))


@SYSTEM.handles(Frame.SET_MFG_TOKEN)
def set_mfg_token(_ncp: NcpState, _asked: MfgTokenSetting) -> StatusOnly:
    """Refuse: what can be written once is never written here."""
    return StatusOnly(Status.INVALID_STATE)


@SYSTEM.handles(Frame.LAUNCH_STANDALONE_BOOTLOADER)
def bootloader(_ncp: NcpState, _asked: BootloaderMode) -> StatusOnly:
    """Refuse: the image stays what it is."""
    return StatusOnly(Status.INVALID_STATE)


@SYSTEM.handles(Frame.SET_MANUFACTURER_CODE)
def manufacturer_code(ncp: NcpState, asked: ManufacturerCode) -> StatusOnly:
    """Take the code of the node descriptor."""
    ncp.ram.manufacturer_code = asked.code
    return StatusOnly()


@SYSTEM.handles(Frame.GET_TOKEN_DATA)
def token_data(ncp: NcpState, asked: TokenAt) -> StatusOctets:
    """Tell a stored token."""
    found = ncp.nv.tokens.get((asked.token, asked.index))
    return StatusOctets(Status.NOT_FOUND) if found is None else StatusOctets(Status.OK, found)


@SYSTEM.handles(Frame.SET_TOKEN_DATA)
def set_token_data(ncp: NcpState, asked: TokenSetting) -> StatusOnly:
    """Store a token."""
    ncp.nv.tokens[asked.token, asked.index] = asked.octets
    return StatusOnly()


@SYSTEM.handles(Frame.TOKEN_FACTORY_RESET)
def token_factory_reset(ncp: NcpState, _asked: TokenFactoryReset) -> Nothing:
    """Forget the tokens and the stored network."""
    ncp.nv.tokens.clear()
    ncp.nv.network = ncp.nv.security = None
    ncp.nv.nodes.clear()
    ncp.ram.joined = ncp.ram.permit = False
    ncp.ram.stage, ncp.ram.attempt, ncp.ram.polls = JoinStage.OUT, None, None
    ncp.drop_traffic()
    ncp.show_network()
    return Nothing()


@SYSTEM.handles(Frame.READ_COUNTERS)
def counters(ncp: NcpState, _asked: Nothing) -> Counters:
    """Tell the counters."""
    return Counters(tuple(count & 0xFFFF for count in ncp.ram.counters))


@SYSTEM.handles(Frame.READ_AND_CLEAR_COUNTERS)
def clear_counters(ncp: NcpState, asked: Nothing) -> Counters:
    """Tell the counters and start them anew."""
    told = counters(ncp, asked)
    ncp.ram.counters = [0] * len(ncp.ram.counters)
    return told
