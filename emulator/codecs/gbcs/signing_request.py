"""The certification request (PKCS#10) with which a device asks for a certificate: CS02c.

Source:
    RTDS 4.5.0 CS02c: empty subject, key usage and hardware module name as requested extensions.
"""

from typing import Final

from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.core.ids import Eui64

_OBJECT_IDENTIFIER: Final = 0x06
_BOOLEAN_TRUE: Final = Node(0x01, b"\xff")
_CONTEXT_0: Final = 0xA0
_EC_PUBLIC_KEY: Final = "2a8648ce3d0201"
_P256: Final = "2a8648ce3d030107"
_EXTENSION_REQUEST: Final = "2a864886f70d01090e"
_KEY_USAGE: Final = "551d0f"
_ALTERNATIVE_NAME: Final = "551d11"
_HARDWARE_MODULE_NAME: Final = "2b06010505070804"
_ECDSA_WITH_SHA256: Final = "2a8648ce3d040302"


def request_info(point: bytes, usage: bytes, device: Eui64, hardware_type: bytes) -> Node:
    """Return the part of a request that the device signs.

    Args:
        point: Uncompressed public point, 65 octets.
        usage: Key usage, as a BIT STRING's content.
        device: The device.
        hardware_type: Object identifier of its hardware type, content octets.
    """
    name = der.sequence(Node(_OBJECT_IDENTIFIER, hardware_type), der.octet_string(device.octets))
    other_name = (_oid(_HARDWARE_MODULE_NAME), Node(_CONTEXT_0, (name,)))
    names = der.sequence(Node(_CONTEXT_0, other_name))
    extensions = der.sequence(
        _extension(_KEY_USAGE, Node(Tag.BIT_STRING, usage)), _extension(_ALTERNATIVE_NAME, names)
    )
    key_type = der.sequence(_oid(_EC_PUBLIC_KEY), _oid(_P256))
    attribute = der.sequence(_oid(_EXTENSION_REQUEST), Node(Tag.SET, (extensions,)))
    return der.sequence(
        der.integer(0),
        der.sequence(),
        der.sequence(key_type, Node(Tag.BIT_STRING, b"\0" + point)),
        Node(_CONTEXT_0, (attribute,)),
    )


def signed_request(info: Node, signature: bytes) -> Node:
    """Return the whole request.

    Args:
        info: From ``request_info``.
        signature: Raw ECDSA signature r || s over its encoding, 64 octets.
    """
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    value = der.encode(der.sequence(der.integer(r), der.integer(s)))
    algorithm = der.sequence(_oid(_ECDSA_WITH_SHA256))
    return der.sequence(info, algorithm, Node(Tag.BIT_STRING, b"\0" + value))


def _extension(identifier: str, value: Node) -> Node:
    return der.sequence(_oid(identifier), _BOOLEAN_TRUE, der.octet_string(der.encode(value)))


def _oid(content: str) -> Node:
    return Node(_OBJECT_IDENTIFIER, bytes.fromhex(content))
