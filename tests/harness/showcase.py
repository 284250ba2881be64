"""A fake bench whose frames are real ones: an upgrade of an ESME, for looking at reports."""

from emulator.codecs import csp_transfer as csp
from emulator.codecs.gbcs import asn1, envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.payload import encode_payload
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import ota, tunneling
from emulator.codecs.zcl.ota_blocks import ImageBlockRequest, ImageBlockResponse
from emulator.codecs.zcl.ota_fields import OtaStatus
from emulator.codecs.zigbee import aps, mac, nwk
from emulator.core.ids import Eui64
from harness.ports import CapturedFrame, StageOrder
from harness.run_options import RunOptions
from harness.scenario import ClauseRef, Expectation, Measurement, Run, Scenario, step
from harness.verdict import ExpectationKind
from tests.harness.fake_bench import ROLES, FakeBench, new_event_loop
from tests.harness.tiny_scenarios import later, open_world

ESME_SHORT = 0x2F1A
SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
MAKER, TYPE, VERSION = 0x121D, 0, 0x00020000


def gbcs(cra: Cra, code: MessageCode, payload: bytes, *, counter: int = 1000) -> bytes:
    """A message with made-up signature and MAC."""
    ends = (SUPPLIER, ROLES["ESME"])
    originator, target = ends if cra is Cra.COMMAND else ends[::-1]
    header = GroupingHeader(cra, counter, originator, target, OtherInformation(int(code)))
    return envelope.encode(Envelope(header, payload, bytes(range(64)), bytes(range(12))))


ACTIVATE = gbcs(
    Cra.COMMAND, MessageCode.CS06, encode_payload(asn1.ActivateFirmware(b"\x75" * 32, 1000, None))
)
ACTIVATED = gbcs(
    Cra.RESPONSE,
    MessageCode.CS06,
    encode_payload(
        asn1.ActivateFirmwareResponse(
            asn1.ActivationOutcome(asn1.ActivationCode.SUCCESS, bytes.fromhex("00020000"))
        )
    ),
)


class ShowBench(FakeBench):
    """Draws every frame of a download when an image is staged, and of a tunnel for a message."""

    _count = 0

    def take(self, message: bytes) -> None:
        self.state["taken"].append(message.hex())
        self._frame("wan-in", message)
        self._note("tunnel_sent", message)
        self._tunnel(message, to_esme=True)
        if message == ACTIVATE:
            self._tunnel(ACTIVATED, to_esme=False)
            self.state["outbox"].append([self.now() + 1000, ACTIVATED.hex()])

    async def stage(self, order: StageOrder) -> object:  # type: ignore[override]  # a wider return
        targets = (ROLES["ESME"],)
        self._csp("csp-in", csp.Offer(7, order.request_id, len(order.image), bytes(32), targets))
        self._csp("csp-out", csp.OfferAnswer(7, csp.Reason.ACCEPTED))
        for offset in range(0, len(order.image), 256):
            self._csp("csp-in", csp.Chunk(7, offset, order.image[offset : offset + 256]))
            self._csp("csp-out", csp.ChunkAnswer(7, offset + 256))
        self._csp("csp-in", csp.Close(7, csp.Reason.COMPLETE))
        self._csp("csp-out", csp.Closed(7, csp.Reason.HELD))
        outcome = await super().stage(order)
        self._frames = [frame for frame in self._frames if frame.frame != order.image]
        self._download(order.image)
        return outcome

    def _download(self, image: bytes) -> None:
        image_row = (MAKER, TYPE, VERSION)
        self._zcl(ota.COMMANDS.encode(ota.ImageNotify(100, *image_row), 1), 0x19, out=True)
        query = ota.QueryNextImageRequest(MAKER, TYPE, 0x00010000, 0x1111)
        self._zcl(ota.COMMANDS.encode(query, 2), 0x19, out=False)
        answer = ota.QueryNextImageResponse(*image_row, len(image))
        self._zcl(ota.COMMANDS.encode(answer, 2), 0x19, out=True)
        for offset in range(0, len(image), 44):
            ask = ImageBlockRequest(*image_row, offset, 44)
            self._zcl(ota.COMMANDS.encode(ask, 3), 0x19, out=False)
            block = ImageBlockResponse(*image_row, offset, image[offset : offset + 44])
            self._zcl(ota.COMMANDS.encode(block, 3), 0x19, out=True)
        end = ota.UpgradeEndRequest(OtaStatus.SUCCESS, *image_row)
        self._zcl(ota.COMMANDS.encode(end, 4), 0x19, out=False)
        self._frames.append(
            CapturedFrame(self._tick(), "han", b"\x41\x88" + bytes(20), "corrupted on purpose")
        )

    def _tunnel(self, message: bytes, *, to_esme: bool) -> None:
        data = tunneling.TransferData(1, message)
        whole = tunneling.COMMANDS.encode(data, 9, server_to_client=not to_esme)
        parts = [whole[at : at + 61] for at in range(0, len(whole), 61)]
        for number, part in enumerate(parts):
            fragment = aps.Fragment(number == 0, len(parts) if number == 0 else number)
            self._zcl(part, 0x0704, out=to_esme, fragment=fragment)

    def _zcl(
        self, octets: bytes, cluster: int, *, out: bool, fragment: aps.Fragment | None = None
    ) -> None:
        ends = (ESME_SHORT, 0) if out else (0, ESME_SHORT)
        frame = aps.ApsFrame(1, 1, cluster, 5, octets, ack_request=True, fragment=fragment)
        self._radio(ends, aps.encode(frame))
        if fragment is None:
            self._radio(ends[::-1], aps.encode(aps.ApsAck(1, 1, cluster, 5)))

    def _radio(self, ends: tuple[int, int], payload: bytes) -> None:
        self._count += 1
        inner = nwk.encode(nwk.NwkFrame(*ends, 30, self._count & 0xFF, payload))
        frame = mac.encode(mac.MacFrame(self._count & 0xFF, 0x1A62, *ends, inner))
        self._frames.append(CapturedFrame(self._tick(), "han", frame))

    def _csp(self, link: str, frame: csp.Frame) -> None:
        self._frames.append(CapturedFrame(self._tick(), link, csp.encode(frame)))

    def _tick(self) -> int:
        self._ticks = getattr(self, "_ticks", 0) + 1
        return self.now() * 1000 + self._ticks * 7_000

    def describe(self) -> dict[str, dict[str, str]]:
        done = ACTIVATE.hex() in self.state["taken"]
        esme = {
            "firmware version": "00020000" if done else "00010000",
            "pending image": "none",
            "OTA state": "NORMAL",
            "supply": "on",
        }
        hub = {"images held": str(len(self.state["images"])), "device log": "2 devices"}
        return {"CHF": hub, "ESME": esme}


def open_bench(options: RunOptions) -> ShowBench:
    return ShowBench(options)


CLAUSES = (
    ClauseRef("GBCS 11.2.1", "source:GBCS 0.8.1 p129"),
    ClauseRef("GBCS 11.5", "source:GBCS 0.8.1 p140; RTDS 4.5.0"),
    ClauseRef("OTA 6.10", "known"),
    ClauseRef("CSP transfer", "stand-in"),
    ClauseRef("no CCS08 for meters", "inferred:the alert names PPMID and HCALCS only"),
)


@step("The hub holds all of the image", "CSP transfer", "GBCS 11.2.1", timeout_s=900)
async def store(run: Run) -> None:
    """The CSP transfers the image; the hub says that it holds it (N60)."""
    request = b"<sr:Request><sr:UpdateFirmware/></sr:Request>"
    run.message("supplier", "DSP", "duis", request, "11.1 UpdateFirmware")
    run.message("DSP", "CSP", "image", b"", "image for 1 device")
    order = StageOrder("req-1", bytes(range(256)) * 24, (ROLES["ESME"],))
    outcome = await run.bench.hub.stage(order)
    run.check("reason", "held", outcome.reason)
    run.event("held")
    run.message("DSP", "supplier", "dcc-alert", b"<N60/>", "N60 delivered")
    run.attach("image.bin", order.image)


@step(
    "The ESME activates what it verified",
    "GBCS 11.5",
    measures=(Measurement("activation_time", "s", 0, 600),),
)
async def activate(run: Run) -> None:
    """CS06 with the image's hash; the answer carries the new version."""
    run.message("supplier", "DSP", "duis", b"<sr:ActivateFirmware/>", "11.3 ActivateFirmware")
    run.message("DSP", "supplier", "gbcs", ACTIVATE, "CS06 pre-command")
    run.message("supplier", "DSP", "gbcs", ACTIVATE, "CS06 signed pre-command")
    await run.bench.hub.send(ACTIVATE)
    answer = await run.bench.hub.received(later(run, 60))
    run.check("response", ACTIVATED, answer)
    run.measure("activation_time", 1.0)
    run.check("alerts for meters", 0, 0, clause="no CCS08 for meters")
    run.event("activated", version="00020000")
    run.outcome("ACTIVATED")


@step("Readings go on", "GBCS 11.2.1", always=True)
async def afterwards(run: Run) -> None:
    """Nothing else changed."""
    run.skip("the bench has no meter readings")


SHOW = Scenario(
    id="FM-01",
    title="ESME upgrade, activated at once",
    devices=("ESME",),
    world="SMETS2+",
    clauses=CLAUSES,
    expectation=Expectation(ExpectationKind.EXACT, frozenset({"ACTIVATED"}), "source:RTDS 4.5.0"),
    steps=(store, activate, afterwards),
    setup=open_world,
    expected_events=("held", "activated"),
    silent=("How long the hub keeps an image after delivery is nowhere said; here for ever",),
)


@step("It fails on purpose", "GBCS 11.5")
async def fail(run: Run) -> None:
    """A check that cannot hold."""
    run.check("version", "00020000", "00010000")
    run.check("weak", "a", "b", clause="no CCS08 for meters")


@step("Never reached", "GBCS 11.5")
async def never(run: Run) -> None:
    """Skipped."""
    run.check("version", "00020000", "00010000")


@step("The bench breaks", "GBCS 11.5", always=True)
async def breaks(run: Run) -> None:
    """An error of the bench."""
    await run.bench.hub.send(b"broken")


BAD = Scenario(
    id="FM-02",
    title="ESME upgrade that goes wrong in every way",
    devices=("ESME",),
    world="SMETS2+",
    clauses=CLAUSES,
    expectation=Expectation(ExpectationKind.EXACT, frozenset({"ACTIVATED"}), "source:RTDS 4.5.0"),
    steps=(fail, never, breaks),
    setup=open_world,
)

__all__ = ["new_event_loop", "open_bench"]

HERE = "tests.harness.showcase"
CATALOGUE = {"FM-01": f"{HERE}:SHOW", "FM-02": f"{HERE}:BAD"}
BENCHES = {"emulated": f"{HERE}:open_bench"}
