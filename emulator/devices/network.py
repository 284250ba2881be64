"""Who is who on a device's networks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from device_profiles.words import RemoteParty
from emulator.core.ids import Eui64


@dataclass(frozen=True, slots=True)
class Network:
    """The parties a device knows: its hub, and the remote parties whose certificates it holds.

    Attributes:
        chf: EUI-64 of the CHF of this HAN.
        gpf: EUI-64 of the GPF in the same box.
        acb: EUI-64 of the Access Control Broker.
        wan_provider: EUI-64 of the WAN provider.
        suppliers: Device -> its responsible supplier. The CHF's entry is the supplier that
            answers for hub and HAN devices.
        network_operators: Device -> its network operator, where it has one.
        load_controllers: Device -> its load controller, where it has one.
        transitional_cos: EUI-64 of the transitional change-of-supplier party, or None.
        recovery: EUI-64 of the recovery party, or None.
    """

    chf: Eui64
    gpf: Eui64
    acb: Eui64
    wan_provider: Eui64
    suppliers: Mapping[Eui64, Eui64]
    network_operators: Mapping[Eui64, Eui64] = field(default_factory=dict)
    load_controllers: Mapping[Eui64, Eui64] = field(default_factory=dict)
    transitional_cos: Eui64 | None = None
    recovery: Eui64 | None = None

    def supplier(self, device: Eui64) -> Eui64:
        """Return the responsible supplier of a device.

        Raises:
            KeyError: The installation names none.
        """
        return self.suppliers[device]

    def roles(self, party: Eui64, device: Eui64) -> frozenset[RemoteParty]:
        """Return the roles in which ``device`` knows ``party``; empty for a stranger."""
        known = (
            (RemoteParty.SUPPLIER, self.suppliers.get(device)),
            (RemoteParty.NETWORK_OPERATOR, self.network_operators.get(device)),
            (RemoteParty.ACCESS_CONTROL_BROKER, self.acb),
            (RemoteParty.WAN_PROVIDER, self.wan_provider),
            (RemoteParty.LOAD_CONTROLLER, self.load_controllers.get(device)),
            (RemoteParty.TRANSITIONAL_COS, self.transitional_cos),
            (RemoteParty.RECOVERY, self.recovery),
        )
        return frozenset(role for role, eui64 in known if eui64 == party)
