"""What an image's metadata say, field by field, for people and machines."""

from device_profiles.metadata_layout import FieldKind, MetadataMode
from device_profiles.metadata_makers import HubMaker, HubMakers
from emulator.codecs.chf_metadata import codec_of, image_hash
from emulator.codecs.chf_metadata_check import Examination
from emulator.codecs.chf_metadata_format import ReadField
from emulator.codecs.ota_file import OtaImage
from firmware_images.inspect import Inspection, Json
from firmware_images.metadata import Found, Recognition, recognise


def with_metadata(inspection: Inspection, makers: HubMakers) -> dict[str, Json]:
    """Return the figures of an inspection, the metadata of every reading added."""
    figures = inspection.figures()
    readings = figures.get("readings")
    for one in inspection.readings:
        if one.image is None:
            continue
        shown = metadata_figures(one.image, recognise(one.image, makers))
        if isinstance(readings, dict):
            held = readings[one.kind.value]
            if isinstance(held, dict):
                held["metadata"] = shown
        else:
            figures["metadata"] = shown
    return figures


def metadata_figures(image: OtaImage, recognition: Recognition) -> dict[str, Json]:
    """Return the metadata of an image as a JSON object: the layout, each field, objections."""
    if not recognition.found:
        return {"status": recognition.likeness.value, "layout": "L-NONE"}
    first = recognition.found[0]
    layouts: list[Json] = [one.maker.layout.layout_id for one in recognition.found]
    return {
        "status": recognition.likeness.value,
        "layouts": layouts,
        **_layout_figures(first.maker),
        **_content_figures(image, first),
        "fields": [_field(one, first.examination) for one in first.examination.fields],
        "objections": [
            {"reason": one.reason.value, "field": one.field, "why": one.why}
            for one in first.examination.objections
        ],
    }


def _layout_figures(maker: HubMaker) -> dict[str, Json]:
    layout = maker.layout
    return {
        "layout": layout.layout_id,
        "note": maker.note,
        "hub": maker.profile,
        "position": layout.position.value,
        "hash_scope": layout.hash_scope.value,
    }


def _content_figures(image: OtaImage, found: Found) -> dict[str, Json]:
    block = found.examination.block
    hashed = image_hash(codec_of(found.maker), MetadataMode.TACTICAL, image.manufacturer_image)
    return {
        "metadata_bytes": 0 if block is None else len(block.octets),
        "bare_image_bytes": len(found.examination.image),
        "hash_at_this_hub": hashed.hex(),
    }


def _field(read: ReadField, examination: Examination) -> dict[str, Json]:
    one = read.field
    value: Json = read.value.hex() if isinstance(read.value, bytes) else read.value
    wrong = next(
        (found.reason for found in examination.objections if found.field == one.name), None
    )
    return {
        "name": one.name,
        "offset": read.offset,
        "octets": read.octets.hex(),
        "value": value,
        "unit": one.unit or _unit(read),
        "from": _origin(read),
        "wrong": None if wrong is None else wrong.value,
        "says": one.says,
    }


def _unit(read: ReadField) -> str:
    return {FieldKind.NUMBER: "number", FieldKind.TEXT: "text"}.get(read.shape.kind, "octets, hex")


def _origin(read: ReadField) -> str:
    one = read.field
    if one.const is not None:
        return "constant"
    return one.value_from if one.value_from is not None else "free"
