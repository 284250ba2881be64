"""A PPMID's orders reach the GSME through the hub, and its answers come back to the screen."""

from device_profiles.words import DeviceType
from emulator.crypto.keystore import KeyStore
from emulator.crypto.prepayment_token import make_token
from emulator.crypto.protection import KeyRing
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.ppmid.ppmid import Ppmid
from tests.emulator.devices.gas.gas_kit import TOP_UP_KEY, supplier_ring
from tests.emulator.devices.kit import ESME, GSME, PPMID, SUPPLIER, Bench, build


def test_gas_is_topped_up_once_from_the_ppmid() -> None:
    hub, meter, ppmid = (build(one) for one in (DeviceType.CHF, DeviceType.GSME, DeviceType.PPMID))
    assert isinstance(ppmid, Ppmid)
    assert isinstance(meter, Gsme)
    ppmid.know_meters(ESME, GSME)
    meter.take_ring(KeyRing(meter.ring.keystore.merged(KeyStore([TOP_UP_KEY.public()]))))
    digits = make_token(3 << 32, 500, SUPPLIER, GSME, supplier_ring())
    assert digits is not None
    bench = Bench(hub, meter, ppmid)
    bench.power_on()
    bench.perform(PPMID, ppmid.top_up(digits, gas=True))
    assert ppmid.rows()["gas top-up"] == "500.00 p accepted"
    bench.perform(PPMID, ppmid.top_up(digits, gas=True))
    assert ppmid.rows()["gas top-up"] == "rejected"
    bench.perform(PPMID, ppmid.activate_emergency_credit(bench.now, gas=True))
    assert ppmid.rows()["gas button"].startswith("emergency credit: ")
    assert not bench.wan
