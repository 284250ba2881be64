"""Certificate-based key establishment, computed by the NCP; and signing.

Source:
    UG100 (the commands); how long a chip takes, and its statuses for calls at the wrong moment:
    inferred.
"""

from collections.abc import Callable
from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import Nothing, Octets, StatusOctets, StatusOnly
from emulator.codecs.ezsp.values_security import (
    CalculateSmacs,
    Certificate,
    PreinstalledCbkeData,
    Smacs,
    StoreLinkKey,
)
from emulator.codecs.ezsp.values_security import EphemeralKey as EphemeralKeyTold
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.errors import MalformedFrameError
from emulator.crypto import binary_signature
from emulator.crypto.binary_curve import InvalidPointError
from emulator.crypto.cbke import Agreement, EphemeralKey, agree
from emulator.crypto.ecqv import SUITES, Credentials
from emulator.ncp.agreed_keys import keep_link_key
from emulator.ncp.identity import SIGNING
from emulator.ncp.state import HandlerTable, NcpState
from emulator.ncp.undertakings import Exchange

CBKE: Final = HandlerTable()
_163, _283 = KeySuite.CBKE_163, KeySuite.CBKE_283
_KEY_OCTETS: Final = {_163: 22, _283: 37}
_CERTIFICATE_OCTETS: Final = {_163: 48, _283: 74}
_GENERATED: Final = {
    _163: Frame.GENERATE_CBKE_KEYS_HANDLER,
    _283: Frame.GENERATE_CBKE_KEYS_HANDLER_283K1,
}
_CALCULATED: Final = {
    _163: Frame.CALCULATE_SMACS_HANDLER,
    _283: Frame.CALCULATE_SMACS_HANDLER_283K1,
}
_ALARM: Final = "cbke"
#: Longest message that is signed: message and signature go back in one EZSP frame.
_MAX_SIGNED: Final = 150
#: sect163k1 is computed so many times faster; the proofs take so many times longer than a key.
_FASTER_163, _PROOFS = 3, 2


def _credentials(ncp: NcpState, suite: KeySuite) -> Credentials | Status:
    """Return what the NCP proves itself with, or why it cannot."""
    if not ncp.identity.computes(suite):
        return Status.LIBRARY_NOT_PRESENT
    return ncp.identity.credentials.get(suite, Status.SECURITY_DATA_INVALID)


def _compute(ncp: NcpState, suite: KeySuite, times: int, done: Callable[[NcpState], None]) -> None:
    """Let a result come when a chip would have it."""
    each_ms = ncp.identity.cbke_ms // (_FASTER_163 if suite is _163 else 1)
    ncp.alarm(_ALARM, times * each_ms, done)


# Ephemeral keys


@CBKE.handles(Frame.GENERATE_CBKE_KEYS)
def generate_163(ncp: NcpState, _asked: Nothing) -> StatusOnly:
    """Compute an ephemeral key on sect163k1."""
    return _generate(ncp, _163)


@CBKE.handles(Frame.GENERATE_CBKE_KEYS_283K1)
def generate_283(ncp: NcpState, _asked: Nothing) -> StatusOnly:
    """Compute an ephemeral key on sect283k1."""
    return _generate(ncp, _283)


def _generate(ncp: NcpState, suite: KeySuite) -> StatusOnly:
    own = _credentials(ncp, suite)
    if isinstance(own, Status):
        return StatusOnly(own)
    if ncp.ram.exchange is not None and ncp.ram.exchange.busy:
        return StatusOnly(Status.BUSY)
    exchange = Exchange(suite, busy=True)
    ncp.ram.exchange = exchange

    def done(later: NcpState) -> None:
        exchange.ephemeral = EphemeralKey.draw(suite, later.chance)
        exchange.busy = False
        told = EphemeralKeyTold(Status.OK, exchange.ephemeral.public)
        later.later(_GENERATED[suite], told)

    _compute(ncp, suite, 1, done)
    return StatusOnly(Status.IN_PROGRESS)


# Proofs


@CBKE.handles(Frame.CALCULATE_SMACS)
def calculate_163(ncp: NcpState, asked: CalculateSmacs) -> StatusOnly:
    """Compute both proofs and the link key on sect163k1."""
    return _calculate(ncp, _163, asked)


@CBKE.handles(Frame.CALCULATE_SMACS_283K1)
def calculate_283(ncp: NcpState, asked: CalculateSmacs) -> StatusOnly:
    """Compute both proofs and the link key on sect283k1."""
    return _calculate(ncp, _283, asked)


def _calculate(ncp: NcpState, suite: KeySuite, asked: CalculateSmacs) -> StatusOnly:
    own, exchange = _credentials(ncp, suite), ncp.ram.exchange
    if isinstance(own, Status):
        return StatusOnly(own)
    if exchange is not None and exchange.busy:
        return StatusOnly(Status.BUSY)
    if exchange is None or exchange.suite is not suite or exchange.ephemeral is None:
        return StatusOnly(Status.INVALID_STATE)
    exchange.busy = True

    def done(later: NcpState) -> None:
        exchange.busy = False
        proofs = _agree(own, exchange, asked)
        told = Smacs(Status.SECURITY_DATA_INVALID, bytes(16), bytes(16))
        if proofs is not None:
            told = Smacs(Status.OK, proofs.mac_u, proofs.mac_v)
        later.later(_CALCULATED[suite], told)

    _compute(ncp, suite, _PROOFS, done)
    return StatusOnly(Status.IN_PROGRESS)


def _agree(own: Credentials, exchange: Exchange, asked: CalculateSmacs) -> Agreement | None:
    """Compute what both sides know; None: certificate or key of the partner is none."""
    if exchange.ephemeral is None:
        return None
    theirs = (asked.certificate, asked.public_key)
    try:
        exchange.partner = SUITES[own.suite].read_certificate(asked.certificate).subject
        found = agree(own, exchange.ephemeral, *theirs, initiator=asked.initiator)
    except (MalformedFrameError, InvalidPointError):
        return None
    exchange.agreement = found
    return found


# The end


@CBKE.handles(Frame.CLEAR_TEMPORARY_DATA_MAYBE_STORE_LINK_KEY)
def clear_163(ncp: NcpState, asked: StoreLinkKey) -> StatusOnly:
    """Forget an exchange on sect163k1, and keep its link key if the host wants it."""
    return _clear(ncp, _163, asked)


@CBKE.handles(Frame.CLEAR_TEMPORARY_DATA_MAYBE_STORE_LINK_KEY_283K1)
def clear_283(ncp: NcpState, asked: StoreLinkKey) -> StatusOnly:
    """Forget an exchange on sect283k1, and keep its link key if the host wants it."""
    return _clear(ncp, _283, asked)


def _clear(ncp: NcpState, suite: KeySuite, asked: StoreLinkKey) -> StatusOnly:
    if not ncp.identity.computes(suite):
        return StatusOnly(Status.LIBRARY_NOT_PRESENT)
    exchange = ncp.ram.exchange
    if asked.store:
        if exchange is not None and exchange.busy:
            return StatusOnly(Status.BUSY)
        if exchange is None or exchange.suite is not suite or exchange.agreement is None:
            return StatusOnly(Status.INVALID_STATE)
        if not keep_link_key(ncp, exchange.partner, exchange.agreement.link_key):
            return StatusOnly(Status.FULL)
    ncp.stop_alarm(_ALARM)
    ncp.ram.exchange = None
    return StatusOnly()


# Certificates


@CBKE.handles(Frame.GET_CERTIFICATE)
def certificate_163(ncp: NcpState, _asked: Nothing) -> Certificate:
    """Tell the certificate for sect163k1."""
    return _certificate(ncp, _163)


@CBKE.handles(Frame.GET_CERTIFICATE_283K1)
def certificate_283(ncp: NcpState, _asked: Nothing) -> Certificate:
    """Tell the certificate for sect283k1."""
    return _certificate(ncp, _283)


def _certificate(ncp: NcpState, suite: KeySuite) -> Certificate:
    own = _credentials(ncp, suite)
    if isinstance(own, Status):
        return Certificate(own, bytes(_CERTIFICATE_OCTETS[suite]))
    return Certificate(Status.OK, own.certificate)


@CBKE.handles(Frame.SET_PREINSTALLED_CBKE_DATA)
def set_preinstalled(_ncp: NcpState, _asked: PreinstalledCbkeData) -> StatusOnly:
    """Refuse: what can be written once is never written here."""
    return StatusOnly(Status.INVALID_STATE)


@CBKE.handles(Frame.SAVE_PREINSTALLED_CBKE_DATA_283K1)
def save_preinstalled(_ncp: NcpState, _asked: Nothing) -> StatusOnly:
    """Refuse: what can be written once is never written here."""
    return StatusOnly(Status.INVALID_STATE)


# Signing


@CBKE.handles(Frame.DSA_SIGN)
def dsa_sign(ncp: NcpState, asked: Octets) -> StatusOnly:
    """Sign a message on sect163k1; it comes back with the signer's EUI-64 and the signature.

    Source:
        UG100 (that the message comes back signed); the order of what is appended: inferred, from
        the signature element of Zigbee upgrade files.
    """
    own = ncp.identity.credentials.get(_163, Status.SECURITY_DATA_INVALID)
    if SIGNING not in ncp.identity.libraries:
        own = Status.LIBRARY_NOT_PRESENT
    if isinstance(own, Status):
        return StatusOnly(own)
    if ncp.ram.exchange is not None and ncp.ram.exchange.busy:
        return StatusOnly(Status.BUSY)
    if len(asked.octets) > _MAX_SIGNED:
        return StatusOnly(Status.MESSAGE_TOO_LONG)
    signer = ncp.identity.eui64.octets[::-1]
    exchange = Exchange(_163, busy=True)
    ncp.ram.exchange = exchange

    def done(later: NcpState) -> None:
        later.ram.exchange = None
        signature = binary_signature.sign(own, asked.octets + signer, later.chance)
        told = StatusOctets(Status.OK, asked.octets + signer + signature)
        later.later(Frame.DSA_SIGN_HANDLER, told)

    _compute(ncp, _163, 1, done)
    return StatusOnly(Status.IN_PROGRESS)
