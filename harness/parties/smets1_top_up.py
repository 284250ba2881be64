"""Top-up codes on both sides of a migration: what a supplier orders, what a device is given.

Stand-in. Real orders and codes follow rules that are not public. A supplier's UTRN names amount
and a number of its own in clear and proves by ten check digits that nothing was mistyped; the
S1SP issues the device's own code for it under the device's present key.
"""

import hashlib
from typing import Final

from emulator.core.ids import Eui64
from emulator.crypto import top_up_code
from emulator.crypto.top_up_code import TopUp, top_up_key

_FRONT: Final = 10
_CHECK: Final = 10


def order(supplier: Eui64, device: Eui64, top_up: TopUp) -> str:
    """Return the UTRN with which a supplier asks for a top-up (service 2.2), 20 digits."""
    front = f"{top_up.pence:05}{top_up.number:05}"
    return front + _check(supplier, device, front)


def read_order(utrn: str, supplier: Eui64, device: Eui64) -> TopUp | None:
    """Return what a supplier's UTRN asks for; None: it is none of that supplier and device."""
    front, check = utrn[:_FRONT], utrn[_FRONT:]
    if check != _check(supplier, device, front):
        return None
    pence, number = int(front[:5]), int(front[5:])
    return TopUp(pence, number) if pence and number else None


def device_code(authentication_key: bytes, device: Eui64, top_up: TopUp) -> str:
    """Return the device's own code of a top-up, as the owner of its key makes it, 20 digits."""
    return top_up_code.encode(top_up, top_up_key(authentication_key, device), device)


def _check(supplier: Eui64, device: Eui64, front: str) -> str:
    digest = hashlib.sha256(b"top-up order" + supplier.octets + device.octets + front.encode())
    return f"{int.from_bytes(digest.digest(), 'big') % 10**_CHECK:0{_CHECK}}"
