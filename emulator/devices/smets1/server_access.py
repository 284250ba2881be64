"""Access to one attribute or method: is it there, may this association, and then do it."""

from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_ciphered import BOTH
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    Descriptor,
    GetResult,
)
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.initiate import Conformance
from emulator.core.effects import Note
from emulator.devices.smets1.association import REPLY_TO_HLS, Asked
from emulator.devices.smets1.object_model import Access, CosemObject, ObjectTree


class AccessServer:
    """The objects of one logical device, with their rights enforced.

    Attributes:
        tree: The objects.
    """

    def __init__(self, tree: ObjectTree) -> None:
        self.tree = tree

    def access(self, asked: Asked, item: CosemObject, index: int) -> Access:
        """Return what the association may do there now.

        Source:
            Blue Book access rights "authenticated", as one flag; what is demanded of a request
            without protection is denied as if there were no right: inferred.
        """
        rights = self.tree.rights(item, index, asked.association.section.rights)
        if asked.at.client.protection == BOTH:
            return rights
        return Access(
            read=rights.read and not rights.protected,
            write=rights.write and not rights.protected,
            invoke=rights.invoke and not rights.guarded,
        )

    def read(self, asked: Asked, attribute: Attribute) -> GetResult:
        """Read one attribute, or say why not.

        Source:
            IEC 62056-5-3 Data-Access-Result, numbers of reference serial-dlms.md 3.2; that an
            index which the class does not have is an undefined object, and a selection that was
            not negotiated a violated scope: inferred.
        """
        index = attribute.descriptor.index
        item = self.tree.find(attribute.descriptor.class_id, attribute.descriptor.obis)
        if isinstance(item, DataAccessResult):
            return item
        if index not in item.attributes():
            return DataAccessResult.OBJECT_UNDEFINED
        if not self.access(asked, item, index).read:
            return DataAccessResult.READ_WRITE_DENIED
        selects = attribute.selection is not None
        if selects and not asked.negotiated(Conformance.SELECTIVE_ACCESS):
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        return item.read(index, attribute.selection, asked.at)

    def write(self, asked: Asked, attribute: Attribute, value: Data) -> DataAccessResult:
        """Write one attribute, or say why not; either way the audit trail learns of it."""
        result = self._written(asked, attribute, value)
        _note(asked, "dlms_write", attribute.descriptor, result)
        return result

    def _written(self, asked: Asked, attribute: Attribute, value: Data) -> DataAccessResult:
        index = attribute.descriptor.index
        item = self.tree.find(attribute.descriptor.class_id, attribute.descriptor.obis)
        if isinstance(item, DataAccessResult):
            return item
        if index not in item.attributes():
            return DataAccessResult.OBJECT_UNDEFINED
        if not self.access(asked, item, index).write:
            return DataAccessResult.READ_WRITE_DENIED
        if attribute.selection is not None:  # no object of ours writes a part of an attribute
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        return item.write(index, value, asked.at)

    def invoke(self, asked: Asked, method: Descriptor, parameters: Data | None) -> MethodOutcome:
        """Carry out one method, or say why not; either way the audit trail learns of it."""
        given = None if parameters is None or parameters.tag is Tag.NULL else parameters
        outcome = self._invoked(asked, method, given)
        _note(asked, "dlms_action", method, outcome.result)
        return outcome

    def _invoked(self, asked: Asked, method: Descriptor, parameters: Data | None) -> MethodOutcome:
        item = self.tree.find(method.class_id, method.obis)
        if isinstance(item, DataAccessResult):
            return MethodOutcome(ActionResult(item))
        if method.index not in item.methods():
            return MethodOutcome(ActionResult.OBJECT_UNDEFINED)
        proving = asked.association.pending and method == REPLY_TO_HLS
        if not proving and not self.access(asked, item, method.index).invoke:
            return MethodOutcome(ActionResult.READ_WRITE_DENIED)
        return item.invoke(method.index, parameters, asked.at)


def _note(
    asked: Asked, kind: str, descriptor: Descriptor, result: DataAccessResult | ActionResult
) -> None:
    client = asked.at.client
    fields = (
        ("line", client.line),
        ("client", client.name),
        ("class", descriptor.class_id),
        ("obis", print_obis(descriptor.obis)),
        ("index", descriptor.index),
        ("result", result.name.lower()),
    )
    asked.at.outbox.put(Note(kind, fields))
