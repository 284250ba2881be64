"""The fixtures: each does what it says, and says what is wrong where it is used wrongly."""

import pytest

from tests.harness.pytest_face.face import played

pytest_plugins = ("pytester",)


def test_a_home_is_what_marker_parameter_and_seed_say(pytester: pytest.Pytester) -> None:
    tests = """
import pytest
from device_profiles.words import DeviceType

ESME = DeviceType.ESME
MODELS = {"ESME": "gfi-esme"}

def test_plain(installation):
    assert (installation.shape, installation.cohort) == ("dual-fuel", None)
    assert installation.ref == "smets2-5-000001"

@pytest.mark.home(shape="electricity only", of_class="Dormant", models=MODELS, seed=9)
class TestMarked:
    def test_words(self, installation):
        (esme,) = installation.of(ESME)
        assert (esme.profile, installation.ref) == ("gfi-esme", "smets2-9-000001")
        assert installation.shape == "electricity-only"
        assert installation.installation_class == "Dormant"

    @pytest.mark.home(seed=4)
    def test_the_nearest_marker_wins_word_by_word(self, installation, bench):
        assert (installation.ref, installation.shape) == ("smets2-4-000001", "electricity-only")
        assert str(bench.role("ESME")) == installation.of(ESME)[0].eui64

@pytest.mark.parametrize("installation", [{"cohort": "DA"}, {"seed": 3}], indirect=True)
def test_parameter(installation):
    assert installation.ref in {"DA-5-000001", "smets2-3-000001"}

@pytest.mark.home(file="gfi")
def test_file(installation):
    assert installation.ref == "gfi"
"""
    done = played(pytester, tests, "--smetsbench-seed", "5")
    assert done.code == 0, done.out
    assert "6 passed" in done.out
    assert done.properties("test_file")["seed"] == ["5"]


def test_time_is_virtual_and_the_bench_moves_with_it(pytester: pytest.Pytester) -> None:
    tests = """
from datetime import UTC, datetime, timedelta
import pytest

async def test_time(clock, bench):
    began = clock.now()
    assert await clock.advance(2, minutes=1, days=3) == began + 62_000 + 3 * 86_400_000
    day = datetime.fromtimestamp(began / 1000, UTC) + timedelta(days=6)
    assert await clock.sleep_until(day) == began + 6 * 86_400_000 == bench.clock.now()
    assert await clock.sleep_until(began) == bench.clock.now()

async def test_wrong_ways(clock):
    from harness.errors import UsageError
    with pytest.raises(UsageError, match="is no moment"):
        await clock.sleep_until(datetime(2030, 1, 1))
    with pytest.raises(UsageError, match="does not go back"):
        await clock.advance(-1)
"""
    done = played(pytester, tests)
    assert "2 passed" in done.out, done.out


def test_parties_sit_at_the_bench_with_keys_of_their_own(pytester: pytest.Pytester) -> None:
    tests = """
import pytest

@pytest.mark.home(shape="split-supply")
async def test_smets2(parties, bench, wire):
    assert parties.supplier is not parties.gas_supplier
    keys = {one.eui64: bench.party_keys(one.eui64) for one in parties.suppliers}
    assert len(keys) == 2
    await parties.upgrade("ESME")
    sent = wire.find("*", link="party", receiver="DSP", sender="supplier")
    assert b"ServiceReferenceVariant" in sent[0].octets

@pytest.mark.cohort("IOC")
async def test_cohort(parties):
    assert {"smso", "s1sp", "s1spdp", "dco", "rp", "mcc", "dsp"} <= set(parties.names)
    with pytest.raises(AttributeError, match="did you mean smso"):
        parties.smo

async def test_nobody_called_so(parties):
    with pytest.raises(AttributeError, match="did you mean supplier"):
        parties.suplier
"""
    done = played(pytester, tests)
    assert "3 passed" in done.out, done.out


def test_the_wire_tells_what_crossed_and_what_did_not(pytester: pytest.Pytester) -> None:
    tests = """
import pytest

async def test_wire(parties, wire, bench):
    since = wire.mark()
    await parties.upgrade("PPMID")
    (told,) = wire.expect("CS09*", sender="CHF", times=1)
    assert told.link == "wan-out" and told.fields()
    assert wire.expect("image block request", sender="PPMID")
    wire.absent("CS06*")
    wire.in_order("*image notify*", "image block response*")
    inside = wire.seen_inside("ota_state", "PPMID")
    assert {one.device for one in inside} == {bench.role("PPMID")}
    assert len(wire.seen_inside("ota_state")) > len(inside)
    assert wire.seen_inside("image_held") and not wire.seen_inside("crash")
    assert len(wire.frames) >= len(wire.messages) > since
    with pytest.raises(AssertionError, match="(?s)CS90.*0, not one.*did you mean.*last mess"):
        wire.expect("CS90*")
    with pytest.raises(AssertionError, match="not 7"):
        wire.expect("CS09*", times=7)
    with pytest.raises(AssertionError, match="crossed, first as"):
        wire.absent("CS09*")
    with pytest.raises(AssertionError, match="behind 'image block"):
        wire.in_order("image block response*", "*image notify*", "*image notify*")
    assert not wire.find("CS09*", since=wire.mark())
"""
    done = played(pytester, tests)
    assert "1 passed" in done.out, done.out


#: Test -> what is said of it.
MISUSE = {
    '@pytest.mark.home(shpe="dual-fuel")\ndef test_{}(bench): pass': "did you mean shape",
    '@pytest.mark.home(shape="duel-fuel")\ndef test_{}(bench): pass': "did you mean dual-fuel",
    '@pytest.mark.home(models={"ESM": "x"})\ndef test_{}(bench): pass': "did you mean ESME",
    '@pytest.mark.home(models={"ESME": "x"})\ndef test_{}(bench): pass': "unknown-name",
    '@pytest.mark.home("dual-fuel")\ndef test_{}(bench): pass': "a home is told by names",
    "@pytest.mark.home(seed=-1)\ndef test_{}(bench): pass": "-1 is no seed",
    '@pytest.mark.home(faults=["x@y"])\ndef test_{}(bench): pass': "a fault means nothing",
    '@pytest.mark.home(defects="x")\ndef test_{}(bench): pass': "there is no defect x",
    '@pytest.mark.home(world="SMETS3")\ndef test_{}(bench): pass': "did you mean SMETS",
    '@pytest.mark.cohort("DA")\n@pytest.mark.home(file="gfi")\ndef test_{}(bench): pass': (
        "the cohort that its file says"
    ),
    "def test_{}(parties): pass": "is a plain function and cannot wait",
    "def test_{}(clock): pass": "is a plain function and cannot wait",
    "@pytest.mark.anyio\nasync def test_{}(bench): pass": "is marked anyio",
    '@pytest.mark.parametrize("installation", [7], indirect=True)\ndef test_{}(bench): pass': (
        "7 describes no home"
    ),
    'async def test_{}(parties): await parties.upgrade("ESM")': "did you mean ESME",
    "async def test_{}(parties): await parties.migrate()": "this home has no migration",
    'async def test_{}(parties): await parties.play("MIG-001")': "no part in MIG-001",
    '@pytest.mark.cohort("EA")\nasync def test_{}(parties): await parties.upgrade("PPMID")': (
        "this home has no upgrade"
    ),
    '@pytest.mark.home(shape="electricity-only")\n'
    'async def test_{}(parties): await parties.upgrade("GSME")': "the home has no GSME",
}


def test_what_is_used_wrongly_is_an_error_that_says_how(pytester: pytest.Pytester) -> None:
    told = {f"test_w{number:02}": says for number, says in enumerate(MISUSE.values())}
    texts = [text.replace("test_{}", name) for name, text in zip(told, MISUSE, strict=True)]
    done = played(pytester, "import pytest\n\n" + "\n\n".join(texts))
    assert len(done.cases) == len(MISUSE)
    for case in done.cases:
        assert done.ended(case) == "error", case
        text = "".join(str(one) for one in done.cases[case].itertext())
        assert told[case.partition("[")[0]] in text, text
        assert "likely cause:" in text
    assert f"{len(MISUSE)} errors" in done.out
