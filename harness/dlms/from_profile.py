"""How a meter of a known model is spoken to, and by whom: the ``[dlms]`` section, read by a client.

Everything such a profile says is illustrative (stand-in), and so is what follows from it.
"""

from dataclasses import replace
from typing import Final

from device_profiles.dlms import AssociationSection, Authentication, DlmsSection
from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.hdlc_link import LinkSettings
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.crypto.dlms_factory import FactoryKeys
from harness.dlms.proof import Signing
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Credentials

#: Speed of HDLC on an optical port without sign-on. Source: inferred, the usual one.
DIRECT_BAUD: Final = 9_600
_MECHANISMS: Final = {
    Authentication.NONE: Mechanism.NONE,
    Authentication.LLS: Mechanism.LLS,
    Authentication.HLS_GMAC: Mechanism.HLS_GMAC,
    Authentication.HLS_ECDSA: Mechanism.HLS_ECDSA,
}
_HLS: Final = frozenset({Mechanism.HLS_GMAC, Mechanism.HLS_ECDSA})


def line_settings(section: DlmsSection, framing: Framing) -> LineSettings:
    """Return how a meter of that model is spoken to on a line of that framing.

    The link offers what the meter has, so that it gets all the meter can; and it is the meter that
    drops a link nobody uses, not the reader.
    """
    station, sign_on = section.hdlc, section.sign_on
    size, window = station.max_information_bytes, station.window
    mode_e = sign_on is not None and sign_on.mode_e
    start = DIRECT_BAUD if sign_on is None else sign_on.start_baud
    return LineSettings(
        framing=framing,
        address_bytes=station.address_bytes,
        physical_address=station.physical_address,
        link=LinkSettings(
            Parameters(size, size, window, window), inactivity_ms=2 * station.inactivity_s * 1000
        ),
        mode_e=mode_e,
        sign_on_baud=300 if sign_on is None else start,
        baud=None if framing is not Framing.OPTICAL or mode_e else start,
    )


def wan_settings(section: DlmsSection, wake_period_s: int = 0) -> LineSettings:
    """Return how a meter of that model is spoken to through its hub: wrapper frames on its port.

    Args:
        section: How the model behaves.
        wake_period_s: Seconds from one wake of the meter to the next; 0 for one that listens.
    """
    known = line_settings(section, Framing.WRAPPER)
    patience_ms = known.link.reply_timeout_ms + wake_period_s * 1000
    link = replace(known.link, reply_timeout_ms=patience_ms)
    return replace(known, wrapper_port=section.wan_port, link=link, replaces=True)


def default_framing(section: DlmsSection) -> Framing:
    """Return the framing of the port such a meter has: optical with a sign-on, else HDLC."""
    return Framing.HDLC if section.sign_on is None else Framing.OPTICAL


def credentials(section: DlmsSection, keys: FactoryKeys, name: str) -> Credentials:
    """Return how the client of that name presents itself to a meter with factory keys.

    Raises:
        KeyError: The model knows no such client.
    """
    known = _association(section, name)
    mechanism = _MECHANISMS[known.authentication]
    proves = known.ciphered or mechanism in _HLS
    return Credentials(
        name,
        known.client,
        mechanism,
        secret=keys.secrets.get(name) if mechanism is Mechanism.LLS else None,
        keys=keys.keys if proves else None,
        title=keys.client_title if proves else b"",
        suite=section.suite,
        form=Form.SERVICE_GLOBAL if known.ciphered else Form.PLAIN,
        server=section.logical_device,
    )


def signing(keys: FactoryKeys, who: Credentials) -> Signing | None:
    """Return the signature keys of a client that proves itself by ECDSA; None for any other."""
    pair = keys.signing
    if pair is None or who.mechanism is not Mechanism.HLS_ECDSA:
        return None
    return Signing(pair.client, pair.server_point)


def client_names(section: DlmsSection) -> tuple[str, ...]:
    """Return the names of the clients the model knows."""
    return tuple(known.name for known in section.associations)


def _association(section: DlmsSection, name: str) -> AssociationSection:
    for known in section.associations:
        if known.name == name:
            return known
    raise KeyError(name)
