from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil import port_address
from hil.errors import PortAddressError, SchemeUnknownError
from hil.port_address import PortAddress, Way


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/dev/ttyUSB0", PortAddress("/dev/ttyUSB0", Way.DEVICE, path="/dev/ttyUSB0")),
        ("tcp://meter:4059", PortAddress("tcp://meter:4059", Way.TCP, host="meter", port=4059)),
        ("tcp://[::1]:9", PortAddress("tcp://[::1]:9", Way.TCP, host="::1", port=9)),
        (
            "wrapper://127.0.0.1:4059",
            PortAddress("wrapper://127.0.0.1:4059", Way.WRAPPER, host="127.0.0.1", port=4059),
        ),
        (
            "rfc2217://box:2217?ign_set_control",
            PortAddress("rfc2217://box:2217?ign_set_control", Way.RFC2217, host="box", port=2217),
        ),
        ("loop://", PortAddress("loop://", Way.LOOP)),
    ],
)
def test_every_kind_of_port_is_one_text(url: str, expected: PortAddress) -> None:
    assert port_address.parse(url) == expected


@pytest.mark.parametrize(
    "url", ["spy:///dev/ttyUSB0", "hwgrep://x", "http://h:1", "://x", "alt://"]
)
def test_an_unknown_scheme_is_refused_by_name(url: str) -> None:
    with pytest.raises(SchemeUnknownError) as refused:
        port_address.parse(url)
    assert "not known here" in refused.value.what
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "begins with /"),
        ("ttyUSB0", "begins with /"),
        ("COM3", "begins with /"),
        ("/dev/tty\nUSB0", "control characters"),
        ("tcp://meter", "TCP port"),
        ("tcp://meter:0", "TCP port"),
        ("tcp://meter:70000", "TCP port"),
        ("tcp://meter:x", "TCP port"),
        ("tcp://:4059", "host is missing"),
        ("tcp://me@meter:4059", "beside host and port"),
        ("tcp://meter:4059/path", "beside host and port"),
        ("wrapper://meter:4059?x=1", "only rfc2217"),
        ("loop://x", "nothing follows"),
    ],
)
def test_a_wrong_address_says_what_is_wrong_with_it(url: str, word: str) -> None:
    with pytest.raises(PortAddressError, match=word) as refused:
        port_address.parse(url)
    assert not isinstance(refused.value, SchemeUnknownError)
    assert refused.value.next_command


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused_with_a_reason(url: str) -> None:
    with suppress(PortAddressError):
        assert port_address.parse(url).url == url


@given(st.sampled_from(["tcp", "wrapper", "rfc2217"]), st.integers(1, 65535))
def test_network_addresses_keep_host_and_port(scheme: str, port: int) -> None:
    address = port_address.parse(f"{scheme}://10.0.0.1:{port}")
    assert (address.host, address.port, address.way.value) == ("10.0.0.1", port, scheme)
