"""Where a link key goes that two nodes have agreed on."""

from dataclasses import replace

from emulator.codecs.ezsp.identifiers import ConfigId, CurrentSecurityBit
from emulator.core.ids import Eui64
from emulator.ncp.state import NcpState


def keep_link_key(ncp: NcpState, partner: Eui64, key: bytes) -> bool:
    """Keep a link key; say whether there was room.

    A node's key with its trust centre takes the place of the one it joined with; every other goes
    into the key table, in the partner's row or a free one.
    """
    rows: list[int] = [row for row, held in ncp.nv.link_keys.items() if held[0] == partner]
    security = ncp.nv.security
    if ncp.nv.is_node and security is not None and security.trust_center == partner:
        for old in rows:
            del ncp.nv.link_keys[old]
        bits = security.bitmask & ~CurrentSecurityBit.GLOBAL_LINK_KEY
        bits |= CurrentSecurityBit.HAVE_TRUST_CENTER_LINK_KEY
        ncp.nv.security = replace(security, bitmask=int(bits), tc_key=key)
        return True
    size = ncp.ram.configuration[ConfigId.KEY_TABLE_SIZE]
    free = (row for row in range(size) if row not in ncp.nv.link_keys)
    row = rows[0] if rows else next(free, None)
    if row is None:
        return False
    ncp.nv.link_keys[row] = (partner, key)
    return True
