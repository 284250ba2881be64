"""CS02a, CS02b, CS02f and CS02g: given payloads are read and made again, spoilt ones refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.dlms import protected
from emulator.codecs.dlms.access import decode_request
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.credentials import AskCredentials, ReplaceCredentials
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.core.errors import MalformedFrameError
from tests.given import needs_rtds, rtds_messages
from tests.sampling import examples

pytestmark = needs_rtds


def commands(*use_cases: str) -> list[bytes]:
    found = []
    for _, octets in rtds_messages():
        message = envelope.decode(octets)
        row = MESSAGES[message.header.other.message_code]
        if message.header.cra is Cra.COMMAND and row.use_case in use_cases:
            found.append(message.payload)
    return found


def test_every_given_replacement_is_read() -> None:
    read = [ReplaceCredentials.read(der.decode(one)) for one in commands("CS02b", "CS02g")]
    assert len(read) > 20
    assert all(one.replacements and one.issuers for one in read)
    assert {one.mode for one in read} >= {2, 3, 4, 5, 6, 7, 8, 11}


def test_every_given_question_is_read() -> None:
    asked = [AskCredentials.read(der.decode(one)).roles for one in commands("CS02a", "CS02f")]
    assert (2, 3) in asked
    assert (2, 8) in asked


def test_every_given_protected_read_is_read_and_written_again() -> None:
    count = 0
    for payload in commands("ECS17b", "ECS17d", "ECS20b", "ECS20c", "ECS21a", "ECS21b", "ECS22b"):
        for item in decode_request(payload).items:
            request = protected.read_request(item.data)
            assert protected.request_data(request) == item.data
            count += 1
    assert count >= 12


def trees() -> st.SearchStrategy[Node]:
    tags = st.sampled_from([0x02, 0x03, 0x04, 0x05, 0x0A, 0x18, 0x81, 0x83, 0x84])
    leaf = st.builds(Node, tags, st.binary(max_size=4))
    rows = st.sampled_from([0x30, 0xA2, 0xA5, 0xA6])
    return st.recursive(
        leaf, lambda inner: st.builds(Node, rows, st.lists(inner, max_size=4).map(tuple))
    )


@settings(max_examples=examples(500))
@given(trees())
def test_a_tree_that_is_no_command_is_refused_or_read(tree: Node) -> None:
    for reader in (ReplaceCredentials.read, AskCredentials.read):
        try:
            reader(tree)
        except MalformedFrameError as error:
            assert error.layer  # noqa: PT017 - both outcomes are right, no other error is


@pytest.mark.parametrize("cut", range(3))
def test_a_replacement_without_a_part_is_refused(cut: int) -> None:
    node = der.decode(commands("CS02b")[0])
    assert isinstance(node.content, tuple)
    parts = node.content[:cut] + node.content[cut + 1 :]
    with pytest.raises(MalformedFrameError):
        ReplaceCredentials.read(Node(node.tag, parts))
