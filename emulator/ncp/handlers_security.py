"""Security of the network, link keys and transient keys."""

from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    ConfigId,
    CoreKeyType,
    InitialSecurityBit,
    KeyBit,
    KeyContextFlag,
    KeyType,
)
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import (
    CurrentSecurityState,
    KeyContext,
    KeyMetadata,
    KeyStructure,
    NetworkKeyInfo,
)
from emulator.codecs.ezsp.values import ByEui64, ByIndex, Nothing, StatusOnly
from emulator.codecs.ezsp.values_security import (
    ByKeyContext,
    CurrentSecurity,
    ExportedKey,
    ExportedLinkKey,
    FindKey,
    FoundKey,
    InitialSecurity,
    KeyAnswer,
    KeyTableSetting,
    KeyTypeRequest,
    LinkKeyImport,
    NetworkKeyInfoAnswer,
    TransientKey,
)
from emulator.core.ids import Eui64
from emulator.ncp import trust_centre
from emulator.ncp.memory import LinkCounters
from emulator.ncp.state import HandlerTable, NcpState

SECURITY: Final = HandlerTable()
_NOBODY: Final = Eui64(bytes(8))
_NO_ROW: Final = 0xFF
_NO_KEY: Final = KeyStructure(0, 0, bytes(16), 0, 0, 0, _NOBODY)
_AUTHORISED: Final = int(KeyBit.KEY_IS_AUTHORIZED | KeyBit.KEY_HAS_PARTNER_EUI64)


@SECURITY.handles(Frame.SET_INITIAL_SECURITY_STATE)
def initial_security(ncp: NcpState, asked: InitialSecurity) -> StatusOnly:
    """Take the security of the next network, formed or joined, if it can be had."""
    if ncp.ram.joined or ncp.is_node:
        return StatusOnly(Status.INVALID_STATE)
    bits = InitialSecurityBit(asked.state.bitmask)
    encrypted = InitialSecurityBit.REQUIRE_ENCRYPTED_KEY in bits
    if encrypted and InitialSecurityBit.HAVE_PRECONFIGURED_KEY not in bits:
        return StatusOnly(Status.SECURITY_CONFIGURATION_INVALID)
    if InitialSecurityBit.GET_PRECONFIGURED_KEY_FROM_INSTALL_CODE in bits:
        # the token of the install code is never burnt here
        return StatusOnly(Status.SECURITY_CONFIGURATION_INVALID)
    ncp.ram.security = asked.state
    return StatusOnly()


@SECURITY.handles(Frame.GET_CURRENT_SECURITY_STATE)
def current_security(ncp: NcpState, _asked: Nothing) -> CurrentSecurity:
    """Tell the security of the present network."""
    stored = ncp.nv.security
    if not ncp.ram.joined or stored is None:
        return CurrentSecurity(Status.NOT_JOINED, CurrentSecurityState(0, _NOBODY))
    return CurrentSecurity(Status.OK, CurrentSecurityState(stored.bitmask, stored.trust_center))


@SECURITY.handles(Frame.GET_KEY)
def key(ncp: NcpState, asked: KeyTypeRequest) -> KeyAnswer:
    """Tell a key of the network, up to v12."""
    stored = ncp.nv.security
    if stored is None:
        return KeyAnswer(Status.NOT_JOINED, _NO_KEY)
    if asked.key_type == KeyType.CURRENT_NETWORK_KEY:
        bits = int(KeyBit.KEY_HAS_SEQUENCE_NUMBER | KeyBit.KEY_HAS_OUTGOING_FRAME_COUNTER)
        told = (bits, asked.key_type, stored.network_key, stored.counter, 0, stored.sequence)
        return KeyAnswer(Status.OK, KeyStructure(*told, _NOBODY))
    if asked.key_type == KeyType.TRUST_CENTER_LINK_KEY:
        bits = int(KeyBit.KEY_HAS_PARTNER_EUI64 | KeyBit.KEY_HAS_OUTGOING_FRAME_COUNTER)
        counters = counters_of(ncp, stored.trust_center, stored.tc_key)
        told = (bits, asked.key_type, stored.tc_key, *counters, 0)
        return KeyAnswer(Status.OK, KeyStructure(*told, stored.trust_center))
    return KeyAnswer(Status.NOT_FOUND, _NO_KEY)


@SECURITY.handles(Frame.EXPORT_KEY)
def export_key(ncp: NcpState, asked: ByKeyContext) -> ExportedKey:
    """Tell a key of the network, since v13."""
    stored = ncp.nv.security
    keys = {}
    if stored is not None:
        keys = {CoreKeyType.NETWORK: stored.network_key, CoreKeyType.TC_LINK: stored.tc_key}
    found = next((key for kind, key in keys.items() if kind == asked.context.core_type), None)
    if found is None:
        return ExportedKey(Status.NOT_FOUND, context=asked.context)
    return ExportedKey(Status.OK, found, asked.context)


@SECURITY.handles(Frame.GET_NETWORK_KEY_INFO)
def network_key_info(ncp: NcpState, _asked: Nothing) -> NetworkKeyInfoAnswer:
    """Tell what goes with the network key."""
    stored = ncp.nv.security
    if stored is None:
        return NetworkKeyInfoAnswer(Status.OK, NetworkKeyInfo(False, False, 0, 0, 0))
    info = NetworkKeyInfo(True, False, stored.sequence, 0, stored.counter)
    return NetworkKeyInfoAnswer(Status.OK, info)


def counters_of(ncp: NcpState, partner: Eui64, key: bytes) -> tuple[int, int]:
    """Return the frame counters of a link key: outgoing, incoming."""
    found = ncp.nv.link_counters.get((partner, key), LinkCounters())
    return found.outgoing, found.incoming or 0


# The key table


def _rows(ncp: NcpState) -> int:
    return ncp.ram.configuration[ConfigId.KEY_TABLE_SIZE]


@SECURITY.handles(Frame.CLEAR_KEY_TABLE)
def clear_key_table(ncp: NcpState, _asked: Nothing) -> StatusOnly:
    """Forget all link keys."""
    ncp.nv.link_keys.clear()
    return StatusOnly()


@SECURITY.handles(Frame.ERASE_KEY_TABLE_ENTRY)
def erase_key(ncp: NcpState, asked: ByIndex) -> StatusOnly:
    """Forget one link key."""
    if asked.index >= _rows(ncp):
        return StatusOnly(Status.INVALID_INDEX)
    ncp.nv.link_keys.pop(asked.index, None)
    return StatusOnly()


@SECURITY.handles(Frame.FIND_KEY_TABLE_ENTRY)
def find_key(ncp: NcpState, asked: FindKey) -> FoundKey:
    """Find the row of a partner; with zeros a free row."""
    if asked.eui64 == _NOBODY:
        free = (row for row in range(_rows(ncp)) if row not in ncp.nv.link_keys)
        return FoundKey(next(free, _NO_ROW))
    rows = (row for row, (eui64, _key) in ncp.nv.link_keys.items() if eui64 == asked.eui64)
    return FoundKey(next(rows, _NO_ROW))


@SECURITY.handles(Frame.IMPORT_LINK_KEY)
def import_link_key(ncp: NcpState, asked: LinkKeyImport) -> StatusOnly:
    """Write a row, since v13."""
    if asked.index >= _rows(ncp):
        return StatusOnly(Status.INVALID_INDEX)
    ncp.nv.link_keys[asked.index] = (asked.eui64, asked.key)
    return StatusOnly()


@SECURITY.handles(Frame.SET_KEY_TABLE_ENTRY)
def set_key_table_entry(ncp: NcpState, asked: KeyTableSetting) -> StatusOnly:
    """Write a row, up to v12."""
    return StatusOnly(
        import_link_key(ncp, LinkKeyImport(asked.index, asked.eui64, asked.key)).status
    )


@SECURITY.handles(Frame.GET_KEY_TABLE_ENTRY)
def key_table_entry(ncp: NcpState, asked: ByIndex) -> KeyAnswer:
    """Tell a row, up to v12."""
    if asked.index >= _rows(ncp):
        return KeyAnswer(Status.INVALID_INDEX, _NO_KEY)
    row = ncp.nv.link_keys.get(asked.index)
    if row is None:
        return KeyAnswer(Status.TABLE_ENTRY_ERASED, _NO_KEY)
    counters = counters_of(ncp, *row)
    told = (_AUTHORISED, KeyType.APPLICATION_LINK_KEY, row[1], *counters, 0, row[0])
    return KeyAnswer(Status.OK, KeyStructure(*told))


@SECURITY.handles(Frame.EXPORT_LINK_KEY_BY_INDEX)
def link_key_by_index(ncp: NcpState, asked: ByIndex) -> ExportedLinkKey:
    """Tell a row, since v13."""
    if asked.index >= _rows(ncp):
        return ExportedLinkKey(Status.INVALID_INDEX)
    return _exported(ncp, asked.index)


@SECURITY.handles(Frame.EXPORT_LINK_KEY_BY_EUI)
def link_key_by_eui64(ncp: NcpState, asked: ByEui64) -> ExportedLinkKey:
    """Tell the link key with a partner, since v13."""
    rows = [row for row, (eui64, _key) in ncp.nv.link_keys.items() if eui64 == asked.eui64]
    return _exported(ncp, rows[0]) if rows else ExportedLinkKey(Status.NOT_FOUND)


def _exported(ncp: NcpState, row: int) -> ExportedLinkKey:
    held = ncp.nv.link_keys.get(row)
    if held is None:
        return ExportedLinkKey(Status.NOT_FOUND)
    flags = int(KeyContextFlag.KEY_INDEX_IS_VALID | KeyContextFlag.EUI_IS_VALID)
    context = KeyContext(CoreKeyType.APP_LINK, row, 0, held[0], 0, flags, 0)
    metadata = KeyMetadata(_AUTHORISED, *counters_of(ncp, *held), 0)
    return ExportedLinkKey(Status.OK, held[0], held[1], metadata, row, context)


# Keys for nodes that are to join


@SECURITY.handles(Frame.ADD_TRANSIENT_LINK_KEY, Frame.IMPORT_TRANSIENT_KEY)
def import_transient_key(ncp: NcpState, asked: TransientKey) -> StatusOnly:
    """Take a key for a node that is to join."""
    taken = trust_centre.add_transient_key(ncp, asked.eui64, asked.key)
    return StatusOnly(Status.OK if taken else Status.FULL)


@SECURITY.handles(Frame.EXPORT_TRANSIENT_KEY_BY_EUI)
def transient_key(ncp: NcpState, asked: ByEui64) -> ExportedLinkKey:
    """Tell the key of a node that is to join, since v13."""
    found = ncp.ram.transient_keys.get(asked.eui64)
    if found is None:
        return ExportedLinkKey(Status.NOT_FOUND)
    flags = int(KeyContextFlag.EUI_IS_VALID)
    context = KeyContext(CoreKeyType.TC_LINK_WITH_TIMEOUT, 0, 0, asked.eui64, 0, flags, 0)
    left_s = max(0, found[1] - ncp.now) // 1000
    metadata = KeyMetadata(int(KeyBit.UNCONFIRMED_TRANSIENT_KEY), 0, 0, left_s)
    return ExportedLinkKey(Status.OK, asked.eui64, found[0], metadata, 0, context)


@SECURITY.handles(Frame.CLEAR_TRANSIENT_LINK_KEYS)
def clear_transient_keys(ncp: NcpState, _asked: Nothing) -> Nothing:
    """Forget the keys for nodes that are to join."""
    ncp.ram.transient_keys.clear()
    return Nothing()
