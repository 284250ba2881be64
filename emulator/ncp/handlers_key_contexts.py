"""Keys by their context: what stricter hosts ask the security manager (v13 and later)."""

from dataclasses import replace
from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import CoreKeyType, KeyBit, KeyContextFlag
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import KeyContext, KeyMetadata
from emulator.codecs.ezsp.values import ByIndex, StatusOnly
from emulator.codecs.ezsp.values_security import (
    ApsKeyInfo,
    ByKeyContext,
    ExportedLinkKey,
    KeyImport,
    KeyImported,
)
from emulator.core.ids import Eui64
from emulator.ncp import trust_centre
from emulator.ncp.handlers_security import counters_of
from emulator.ncp.sending import link_key_of
from emulator.ncp.state import HandlerTable, NcpState

KEY_CONTEXTS: Final = HandlerTable()
_AUTHORISED: Final = int(KeyBit.KEY_IS_AUTHORIZED | KeyBit.KEY_HAS_PARTNER_EUI64)


@KEY_CONTEXTS.handles(Frame.GET_APS_KEY_INFO)
def aps_key_info(ncp: NcpState, asked: ByKeyContext) -> ApsKeyInfo:
    """Tell what goes with a link key, and not the key."""
    partner = _partner(ncp, asked.context)
    if partner is None:
        return ApsKeyInfo(Status.NOT_FOUND, context=asked.context)
    shared = link_key_of(ncp, partner)
    counters = (0, 0) if shared is None else counters_of(ncp, partner, shared)
    metadata = KeyMetadata(_AUTHORISED, *counters, 0)
    return ApsKeyInfo(Status.OK, metadata, partner, replace(asked.context, eui64=partner))


@KEY_CONTEXTS.handles(Frame.CHECK_KEY_CONTEXT)
def check_context(ncp: NcpState, asked: ByKeyContext) -> StatusOnly:
    """Say whether there is a key of that context."""
    there = asked.context.core_type == CoreKeyType.NETWORK and ncp.nv.security is not None
    found = there or _partner(ncp, asked.context) is not None
    return StatusOnly(Status.OK if found else Status.NOT_FOUND)


@KEY_CONTEXTS.handles(Frame.IMPORT_KEY)
def import_key(ncp: NcpState, asked: KeyImport) -> KeyImported:
    """Take a key where its context says; the keys of a network that is up stay as they are."""
    context, kind = asked.context, asked.context.core_type
    if kind == CoreKeyType.TC_LINK_WITH_TIMEOUT:
        taken = trust_centre.add_transient_key(ncp, context.eui64, asked.key)
    elif kind == CoreKeyType.APP_LINK:
        taken = trust_centre.store_link_key(ncp, context.eui64, asked.key)
    else:
        return KeyImported(Status.INVALID_STATE, context)
    return KeyImported(Status.OK if taken else Status.FULL, context)


@KEY_CONTEXTS.handles(Frame.EXPORT_TRANSIENT_KEY_BY_INDEX)
def transient_key_by_index(ncp: NcpState, asked: ByIndex) -> ExportedLinkKey:
    """Tell the key of a node that is to join, by its place in the list."""
    held = list(ncp.ram.transient_keys.items())
    if asked.index >= len(held):
        return ExportedLinkKey(Status.NOT_FOUND)
    eui64, (key, until) = held[asked.index]
    flags = int(KeyContextFlag.EUI_IS_VALID)
    context = KeyContext(CoreKeyType.TC_LINK_WITH_TIMEOUT, asked.index, 0, eui64, 0, flags, 0)
    left_s = max(0, until - ncp.now) // 1000
    metadata = KeyMetadata(int(KeyBit.UNCONFIRMED_TRANSIENT_KEY), 0, 0, left_s)
    return ExportedLinkKey(Status.OK, eui64, key, metadata, 0, context)


def _partner(ncp: NcpState, context: KeyContext) -> Eui64 | None:
    """Return whose link key a context means; None: there is no such key."""
    security = ncp.nv.security
    if context.core_type == CoreKeyType.TC_LINK:
        return None if security is None else security.trust_center
    if context.core_type == CoreKeyType.TC_LINK_WITH_TIMEOUT:
        return context.eui64 if context.eui64 in ncp.ram.transient_keys else None
    if context.core_type != CoreKeyType.APP_LINK:
        return None
    if context.flags & KeyContextFlag.EUI_IS_VALID:
        partners = {partner for partner, _key in ncp.nv.link_keys.values()}
        return context.eui64 if context.eui64 in partners else None
    row = ncp.nv.link_keys.get(context.index)
    return None if row is None else row[0]
