"""Keys by their context, as stricter hosts ask for them."""

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import CoreKeyType, KeyContextFlag
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import KeyContext
from emulator.codecs.ezsp.values import ByIndex
from emulator.codecs.ezsp.values_security import ByKeyContext, KeyImport
from emulator.core.ids import Eui64
from tests.emulator.ncp.ncp_given import DONGLE, HUB, NOBODY, formed

KEY = bytes(range(16))
NEW = [version for version in VERSIONS if version >= 13]


def _context(kind: CoreKeyType, eui64: Eui64 = NOBODY, index: int = 0) -> KeyContext:
    flag = KeyContextFlag.KEY_INDEX_IS_VALID if eui64 == NOBODY else KeyContextFlag.EUI_IS_VALID
    return KeyContext(int(kind), index, 0, eui64, 0, int(flag), 0)


@pytest.mark.parametrize("version", NEW)
def test_a_link_key_is_taken_and_its_company_told(version: int) -> None:
    desk = formed(version)
    app = _context(CoreKeyType.APP_LINK, HUB)
    assert desk.ask(Frame.CHECK_KEY_CONTEXT, ByKeyContext(app)).status is Status.NOT_FOUND
    assert desk.ask(Frame.IMPORT_KEY, KeyImport(app, KEY)).status is Status.OK
    assert desk.ask(Frame.CHECK_KEY_CONTEXT, ByKeyContext(app)).status is Status.OK
    assert desk.ask(Frame.EXPORT_LINK_KEY_BY_INDEX, ByIndex(0)).key == KEY
    by_row = ByKeyContext(_context(CoreKeyType.APP_LINK))
    told = desk.ask(Frame.GET_APS_KEY_INFO, by_row)
    assert told.status is Status.OK
    assert (told.context.eui64 if version >= 14 else told.eui64) == HUB
    other = ByKeyContext(_context(CoreKeyType.APP_LINK, index=3))
    assert desk.ask(Frame.GET_APS_KEY_INFO, other).status is Status.NOT_FOUND


def test_keys_of_the_network_are_there_and_cannot_be_replaced() -> None:
    desk = formed()
    for kind in (CoreKeyType.NETWORK, CoreKeyType.TC_LINK):
        context = _context(kind)
        assert desk.ask(Frame.CHECK_KEY_CONTEXT, ByKeyContext(context)).status is Status.OK
        refused = desk.ask(Frame.IMPORT_KEY, KeyImport(context, KEY))
        assert refused.status is Status.INVALID_STATE
    told = desk.ask(Frame.GET_APS_KEY_INFO, ByKeyContext(_context(CoreKeyType.TC_LINK)))
    assert told.eui64 == DONGLE


def test_a_transient_key_is_found_by_its_place() -> None:
    desk = formed(14)
    context = _context(CoreKeyType.TC_LINK_WITH_TIMEOUT, HUB)
    assert desk.ask(Frame.IMPORT_KEY, KeyImport(context, KEY)).status is Status.OK
    assert desk.ask(Frame.CHECK_KEY_CONTEXT, ByKeyContext(context)).status is Status.OK
    found = desk.ask(Frame.EXPORT_TRANSIENT_KEY_BY_INDEX, ByIndex(0))
    assert (found.context.eui64, found.key) == (HUB, KEY)
    none = desk.ask(Frame.EXPORT_TRANSIENT_KEY_BY_INDEX, ByIndex(1))
    assert none.status is Status.NOT_FOUND
