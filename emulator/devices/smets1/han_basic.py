"""What a SMETS1 device says of itself in the Basic cluster of its HAN: maker, model, power."""

from device_profiles.schema import DeviceProfile
from emulator.codecs.zcl import basic, foundation
from emulator.codecs.zcl.basic import BasicAttribute, PowerSource
from emulator.codecs.zcl.foundation import AttributeValue
from emulator.core.effects import Effect, Note, SendZcl, ZclIndication
from emulator.devices.attribute_reads import read_in, readings_of


def answer(profile: DeviceProfile, indication: ZclIndication) -> list[Effect]:
    """Answer a read of the Basic cluster; whoever asks is told."""
    read = read_in(indication)
    if isinstance(read, Note):
        return [read]
    frame, asked = read
    told = readings_of(asked, attributes(profile))
    octets = foundation.encode(told, frame.sequence, server_to_client=True)
    return [SendZcl(indication.source, basic.CLUSTER, octets)]


def attributes(profile: DeviceProfile) -> dict[int, AttributeValue]:
    """Return the attributes a device of this model serves."""
    identity = profile.identity
    battery = profile.radio.sleepy or profile.supply.battery_days is not None
    values: dict[BasicAttribute, int | str] = {
        BasicAttribute.HARDWARE_VERSION: identity.hardware_version >> 8,
        BasicAttribute.MANUFACTURER_NAME: identity.manufacturer_name,
        BasicAttribute.MODEL_IDENTIFIER: identity.model_name,
        BasicAttribute.POWER_SOURCE: (
            PowerSource.BATTERY if battery else PowerSource.MAINS_SINGLE_PHASE
        ),
    }
    return {key: AttributeValue(basic.TYPES[key], value) for key, value in values.items()}
