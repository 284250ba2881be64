"""EZSP frames: the header in its three forms, and the names of the frames."""

import enum
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final

from emulator.codecs.ezsp.layout import RefusedEzspError
from emulator.codecs.ezsp.statuses import Status
from emulator.core.values import quick

#: Bits of the control field. In a command the low octet says how the NCP may sleep.
RESPONSE: Final = 0x0080
NETWORK_INDEX: Final = 0x0060
SYNCHRONOUS_CALLBACK: Final = 0x0008
ASYNCHRONOUS_CALLBACK: Final = 0x0010
CALLBACK: Final = SYNCHRONOUS_CALLBACK | ASYNCHRONOUS_CALLBACK
PENDING: Final = 0x0004
TRUNCATED: Final = 0x0002
OVERFLOW: Final = 0x0001

_FORMAT_1: Final = 0x01  # of the high octet of the control field: the header of v8 and later
_FORMAT_BITS: Final = 0x3F  # two, and those that are always 0
_SECURED_OR_PADDED: Final = 0xC0
_CURRENT: Final = Struct("<BBBH")
_ESCAPE_ID: Final = 0xFF  # v5 to v7 put FF 00 in front of the frame id


class Framing(enum.Enum):
    """Form of the header.

    Source:
        UG100 section 3; reference zigbee-dongle.md section 2.3.
    """

    LEGACY = "v4: sequence, control, frame id"
    EXTENDED_LEGACY = "v5 to v7: sequence, control, FF, 00, frame id"
    CURRENT = "v8 and later: sequence, control (2 octets), frame id (2 octets)"


@quick
@dataclass(frozen=True, slots=True)
class Header:
    """What stands in front of a frame's parameters.

    Attributes:
        sequence: 0 to 255; a response repeats the command's, a callback the last response's.
        frame_id: Which frame.
        control: Bits of this module, of the low octet.
        framing: Form.
    """

    sequence: int
    frame_id: int
    control: int = 0
    framing: Framing = Framing.CURRENT


def decode_header(data: bytes) -> tuple[Header, int]:
    """Read the header in whichever form it has; return it and where the parameters begin.

    The forms are told apart by the third octet: in the present form it is the high octet of the
    control field, 01; FF announces the extended legacy form; anything else is a legacy frame id.

    Raises:
        RefusedEzspError: Too short, or a control field of a secured or padded frame.
    """
    if len(data) < 3:
        raise RefusedEzspError(data, "no room for a header", Status.TRUNCATED)
    high = data[2]
    if high == _ESCAPE_ID and len(data) >= 5 and data[3] == 0:
        return Header(data[0], data[4], data[1], Framing.EXTENDED_LEGACY), 5
    if high & _FORMAT_BITS != _FORMAT_1:
        return Header(data[0], high, data[1], Framing.LEGACY), 3
    if high & _SECURED_OR_PADDED:
        why = "secured or padded frames are not spoken"
        raise RefusedEzspError(data, why, Status.UNSUPPORTED_CONTROL, 2)
    if len(data) < _CURRENT.size:
        raise RefusedEzspError(data, "no room for a header", Status.TRUNCATED)
    sequence, control, _high, frame_id = _CURRENT.unpack_from(data)
    return Header(sequence, frame_id, control), _CURRENT.size


def encode_header(header: Header) -> bytes:
    """Write a header.

    Raises:
        ValueError: A number does not fit, e.g. a long frame id in a legacy header.
    """
    sequence, control, frame_id = header.sequence, header.control, header.frame_id
    if header.framing is Framing.CURRENT:
        if not 0 <= frame_id <= 0xFFFF:
            raise ValueError(f"ezsp: frame id {frame_id:#x} does not fit two octets")
        return bytes((sequence, control, _FORMAT_1, frame_id & 0xFF, frame_id >> 8))
    if header.framing is Framing.LEGACY:
        return bytes((sequence, control, frame_id))
    return bytes((sequence, control, _ESCAPE_ID, 0, frame_id))


@quick
@dataclass(frozen=True, slots=True)
class EzspFrame:
    """One frame with its parameters.

    Attributes:
        name: Which frame.
        values: Its parameters, of the class the tables name for it.
        sequence: See `Header`.
        control: See `Header`.
        framing: See `Header`.
    """

    name: "Frame"
    values: Any
    sequence: int = 0
    control: int = 0
    framing: Framing = Framing.CURRENT

    @property
    def is_response(self) -> bool:
        """It comes from the NCP (callbacks too)."""
        return self.control & RESPONSE != 0

    @property
    def is_callback(self) -> bool:
        """Nothing asked for it."""
        return self.control & RESPONSE != 0 and self.control & CALLBACK != 0


def command(name: "Frame", values: Any, sequence: int) -> EzspFrame:
    """Return a command of the host."""
    return EzspFrame(name, values, sequence)


def response(to: EzspFrame, values: Any, name: "Frame | None" = None) -> EzspFrame:
    """Return the answer to a command; ``name`` where it is another frame (``invalidCommand``)."""
    control = RESPONSE | to.control & NETWORK_INDEX
    return EzspFrame(name or to.name, values, to.sequence, control, to.framing)


def callback(name: "Frame", values: Any, sequence: int) -> EzspFrame:
    """Return a callback; ``sequence`` is that of the last command that was answered."""
    return EzspFrame(name, values, sequence, RESPONSE | ASYNCHRONOUS_CALLBACK)


class Frame(enum.Enum):
    """Frames by the names UG100 gives them; numbers differ between versions."""

    #: By identity, as members are compared: what `enum` hashes with is a function in Python.
    __hash__ = object.__hash__

    VERSION = "version"
    GET_LIBRARY_STATUS = "getLibraryStatus"
    ADD_ENDPOINT = "addEndpoint"
    GET_EXTENDED_VALUE = "getExtendedValue"
    GET_NEXT_BEACON = "getNextBeacon"
    NOP = "nop"
    CALLBACK = "callback"
    NO_CALLBACKS = "noCallbacks"
    GET_MFG_TOKEN = "getMfgToken"  # noqa: S105 - a frame's name, no secret
    SET_MFG_TOKEN = "setMfgToken"  # noqa: S105 - a frame's name, no secret
    SET_CONCENTRATOR = "setConcentrator"
    SET_MANUFACTURER_CODE = "setManufacturerCode"
    NETWORK_INIT = "networkInit"
    NETWORK_STATE = "networkState"
    STACK_STATUS_HANDLER = "stackStatusHandler"
    START_SCAN = "startScan"
    NETWORK_FOUND_HANDLER = "networkFoundHandler"
    SCAN_COMPLETE_HANDLER = "scanCompleteHandler"
    STOP_SCAN = "stopScan"
    FORM_NETWORK = "formNetwork"
    JOIN_NETWORK = "joinNetwork"
    LEAVE_NETWORK = "leaveNetwork"
    FIND_AND_REJOIN_NETWORK = "findAndRejoinNetwork"
    PERMIT_JOINING = "permitJoining"
    CHILD_JOIN_HANDLER = "childJoinHandler"
    TRUST_CENTER_JOIN_HANDLER = "trustCenterJoinHandler"
    GET_EUI64 = "getEui64"
    GET_NODE_ID = "getNodeId"
    GET_NETWORK_PARAMETERS = "getNetworkParameters"
    GET_PARENT_CHILD_PARAMETERS = "getParentChildParameters"
    SET_BINDING = "setBinding"
    GET_BINDING = "getBinding"
    MAXIMUM_PAYLOAD_LENGTH = "maximumPayloadLength"
    SEND_UNICAST = "sendUnicast"
    SEND_BROADCAST = "sendBroadcast"
    SEND_MULTICAST = "sendMulticast"
    SEND_REPLY = "sendReply"
    JOIN_NETWORK_DIRECTLY = "joinNetworkDirectly"
    MESSAGE_SENT_HANDLER = "messageSentHandler"
    SEND_MANY_TO_ONE_ROUTE_REQUEST = "sendManyToOneRouteRequest"
    POLL_FOR_DATA = "pollForData"
    POLL_COMPLETE_HANDLER = "pollCompleteHandler"
    POLL_HANDLER = "pollHandler"
    INCOMING_MESSAGE_HANDLER = "incomingMessageHandler"
    CUSTOM_FRAME = "customFrame"
    ENERGY_SCAN_RESULT_HANDLER = "energyScanResultHandler"
    GET_RANDOM_NUMBER = "getRandomNumber"
    GET_CHILD_DATA = "getChildData"
    UNICAST_CURRENT_NETWORK_KEY = "unicastCurrentNetworkKey"
    SEND_RAW_MESSAGE_EXTENDED = "sendRawMessageExtended"
    GET_CONFIGURATION_VALUE = "getConfigurationValue"
    SET_CONFIGURATION_VALUE = "setConfigurationValue"
    SET_POLICY = "setPolicy"
    GET_POLICY = "getPolicy"
    INVALID_COMMAND = "invalidCommand"
    INCOMING_ROUTE_RECORD_HANDLER = "incomingRouteRecordHandler"
    SET_SOURCE_ROUTE_DISCOVERY_MODE = "setSourceRouteDiscoveryMode"
    GET_ADDRESS_TABLE_REMOTE_EUI64 = "getAddressTableRemoteEui64"
    GET_ADDRESS_TABLE_REMOTE_NODE_ID = "getAddressTableRemoteNodeId"
    GET_ADDRESS_TABLE_INFO = "getAddressTableInfo"
    GP_CLEAR_PROXY_TABLE = "gpClearProxyTable"
    LOOKUP_NODE_ID_BY_EUI64 = "lookupNodeIdByEui64"
    LOOKUP_EUI64_BY_NODE_ID = "lookupEui64ByNodeId"
    GET_MULTICAST_TABLE_ENTRY = "getMulticastTableEntry"
    SET_MULTICAST_TABLE_ENTRY = "setMulticastTableEntry"
    READ_AND_CLEAR_COUNTERS = "readAndClearCounters"
    SET_INITIAL_SECURITY_STATE = "setInitialSecurityState"
    GET_CURRENT_SECURITY_STATE = "getCurrentSecurityState"
    GET_KEY = "getKey"
    CLEAR_TRANSIENT_LINK_KEYS = "clearTransientLinkKeys"
    GET_KEY_TABLE_ENTRY = "getKeyTableEntry"
    SET_KEY_TABLE_ENTRY = "setKeyTableEntry"
    FIND_KEY_TABLE_ENTRY = "findKeyTableEntry"
    ERASE_KEY_TABLE_ENTRY = "eraseKeyTableEntry"
    TOKEN_FACTORY_RESET = "tokenFactoryReset"  # noqa: S105 - a frame's name, no secret
    SET_EXTENDED_TIMEOUT = "setExtendedTimeout"
    GET_EXTENDED_TIMEOUT = "getExtendedTimeout"
    INCOMING_ROUTE_ERROR_HANDLER = "incomingRouteErrorHandler"
    ECHO = "echo"
    REPLACE_ADDRESS_TABLE_ENTRY = "replaceAddressTableEntry"
    MFGLIB_START = "mfglibStart"
    MFGLIB_END = "mfglibEnd"
    MFGLIB_START_TONE = "mfglibStartTone"
    MFGLIB_STOP_TONE = "mfglibStopTone"
    MFGLIB_START_STREAM = "mfglibStartStream"
    MFGLIB_STOP_STREAM = "mfglibStopStream"
    MFGLIB_SEND_PACKET = "mfglibSendPacket"
    MFGLIB_SET_CHANNEL = "mfglibSetChannel"
    MFGLIB_GET_CHANNEL = "mfglibGetChannel"
    MFGLIB_SET_POWER = "mfglibSetPower"
    MFGLIB_GET_POWER = "mfglibGetPower"
    MFGLIB_RX_HANDLER = "mfglibRxHandler"
    LAUNCH_STANDALONE_BOOTLOADER = "launchStandaloneBootloader"
    SET_RADIO_IEEE802154_CCA_MODE = "setRadioIeee802154CcaMode"
    SEND_RAW_MESSAGE = "sendRawMessage"
    MAC_PASSTHROUGH_MESSAGE_HANDLER = "macPassthroughMessageHandler"
    SET_RADIO_POWER = "setRadioPower"
    SET_RADIO_CHANNEL = "setRadioChannel"
    ZIGBEE_KEY_ESTABLISHMENT_HANDLER = "zigbeeKeyEstablishmentHandler"
    ENERGY_SCAN_REQUEST = "energyScanRequest"
    DELAY_TEST = "delayTest"
    GENERATE_CBKE_KEYS_HANDLER = "generateCbkeKeysHandler"
    CALCULATE_SMACS = "calculateSmacs"
    CALCULATE_SMACS_HANDLER = "calculateSmacsHandler"
    CLEAR_TEMPORARY_DATA_MAYBE_STORE_LINK_KEY = "clearTemporaryDataMaybeStoreLinkKey"
    SET_PREINSTALLED_CBKE_DATA = "setPreinstalledCbkeData"
    GENERATE_CBKE_KEYS = "generateCbkeKeys"
    GET_CERTIFICATE = "getCertificate"
    DSA_SIGN = "dsaSign"
    DSA_SIGN_HANDLER = "dsaSignHandler"
    REMOVE_DEVICE = "removeDevice"
    GET_VALUE = "getValue"
    SET_VALUE = "setValue"
    SET_CHILD_DATA = "setChildData"
    ADD_TRANSIENT_LINK_KEY = "addTransientLinkKey"
    CLEAR_KEY_TABLE = "clearKeyTable"
    GP_SINK_TABLE_CLEAR_ALL = "gpSinkTableClearAll"
    GENERATE_CBKE_KEYS_283K1 = "generateCbkeKeys283k1"
    GENERATE_CBKE_KEYS_HANDLER_283K1 = "generateCbkeKeysHandler283k1"
    CALCULATE_SMACS_283K1 = "calculateSmacs283k1"
    CALCULATE_SMACS_HANDLER_283K1 = "calculateSmacsHandler283k1"
    GET_CERTIFICATE_283K1 = "getCertificate283k1"
    SAVE_PREINSTALLED_CBKE_DATA_283K1 = "savePreinstalledCbkeData283k1"
    CLEAR_TEMPORARY_DATA_MAYBE_STORE_LINK_KEY_283K1 = "clearTemporaryDataMaybeStoreLinkKey283k1"
    READ_COUNTERS = "readCounters"
    GET_TOKEN_DATA = "getTokenData"  # noqa: S105 - a frame's name, no secret
    SET_TOKEN_DATA = "setTokenData"  # noqa: S105 - a frame's name, no secret
    GET_APS_KEY_INFO = "getApsKeyInfo"
    EXPORT_LINK_KEY_BY_EUI = "exportLinkKeyByEui"
    IMPORT_LINK_KEY = "importLinkKey"
    EXPORT_LINK_KEY_BY_INDEX = "exportLinkKeyByIndex"
    CHECK_KEY_CONTEXT = "checkKeyContext"
    IMPORT_TRANSIENT_KEY = "importTransientKey"
    EXPORT_TRANSIENT_KEY_BY_INDEX = "exportTransientKeyByIndex"
    EXPORT_TRANSIENT_KEY_BY_EUI = "exportTransientKeyByEui"
    EXPORT_KEY = "exportKey"
    IMPORT_KEY = "importKey"
    GET_NETWORK_KEY_INFO = "getNetworkKeyInfo"
