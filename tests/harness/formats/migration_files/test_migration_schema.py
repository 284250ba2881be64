from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from harness.errors import UsageError
from harness.formats.migration_files.building import Keys, SetBuilder, SetPlan
from harness.formats.migration_files.document import FORMS
from harness.formats.migration_files.handover import factory_secrets
from harness.formats.migration_files.inspection import inspect_octets
from harness.formats.migration_files.parties import Role
from harness.formats.migration_files.reading import check_octets
from harness.formats.migration_files.schema import SHIPPED, MigrationSchema, load_schema
from harness.formats.migration_files.words import FileType
from tests.harness.formats.migration_files.migration_given import (
    AT,
    GROUPS,
    SCHEMA,
    SEED,
    Wanted,
    answers,
    built,
    context,
    device,
    home,
    one,
    signed_as,
    store,
)

SHIPPED_TEXT = SHIPPED.read_text("utf-8")
OTHER = "urn:x-user:another-schema"


def overlay(folder: Path, text: str) -> MigrationSchema:
    (folder / "schemas").mkdir()
    (folder / "schemas" / "migration.xsd").write_text(text, "utf-8")
    return load_schema([folder])


def test_the_shipped_schema_says_in_itself_that_it_is_a_stand_in() -> None:
    assert "STAND-IN" in SHIPPED_TEXT
    root = etree.fromstring(SHIPPED.read_bytes())
    assert "Stand-in" in str(etree.tostring(root, method="text", encoding="unicode"))
    assert (root.get("targetNamespace"), root.get("version")) == (
        "urn:x-bench:smets1-migration:1",
        "stand-in-1",
    )
    assert SCHEMA.is_stand_in
    assert "dcc" not in SCHEMA.namespace


def test_the_schema_declares_every_root_that_is_read() -> None:
    for form in FORMS.values():
        assert f'<xs:element name="{form.root}">' in SHIPPED_TEXT


def test_a_schema_of_the_users_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    own = overlay(tmp_path, SHIPPED_TEXT.replace(SCHEMA.namespace, OTHER))
    assert (own.namespace, own.is_stand_in) == (OTHER, False)
    at = replace(context(), schema=own)
    plan = SetPlan(GROUPS["EA"], "BG", 41, AT)
    file = SetBuilder(plan, Keys(store()), own).common([home(1)])
    assert b"stand-in" not in file.octets
    assert own.sha256[:16].encode() in file.octets
    assert check_octets(file.name, file.octets, at).error is None
    shipped = check_octets(file.name, file.octets, context()).error
    assert shipped is not None
    assert shipped.check.code == "X-NS"


def test_the_strongest_overlay_that_has_a_schema_wins(tmp_path: Path) -> None:
    for number, name in enumerate(("weak", "strong", "without")):
        (tmp_path / name).mkdir()
        if name != "without":
            overlay(tmp_path / name, SHIPPED_TEXT.replace(SCHEMA.namespace, f"urn:{number}"))
    folders = [tmp_path / name for name in ("weak", "strong", "without")]
    assert load_schema(folders).namespace == "urn:1"
    assert load_schema([folders[2]]) == SCHEMA
    assert load_schema() is load_schema()


def test_a_stricter_schema_of_the_users_refuses_what_the_shipped_one_takes(tmp_path: Path) -> None:
    strict = SHIPPED_TEXT.replace('<xs:pattern value="[A-Z]{2}"/>', '<xs:pattern value="D[A-Z]"/>')
    at = replace(context(), schema=overlay(tmp_path, strict))
    mcf = one(FileType.MCF)
    error = check_octets(mcf.name, mcf.octets, at).error
    assert error is not None
    assert (error.check.code, error.sub_code) == ("X-XSD", "01")
    assert "GroupID" in error.why


def test_a_document_valid_by_another_schema_but_not_read_here_is_told_apart(
    tmp_path: Path,
) -> None:
    """The user's schema wins over ours; that ours is what is read is said, not hidden."""
    looser = SHIPPED_TEXT.replace(
        '<xs:element name="GroupID" type="mig:GroupId"/>',
        '<xs:element name="GroupID" type="mig:GroupId"/>'
        '<xs:element name="Surplus" type="mig:Name" minOccurs="0"/>',
    )
    at = replace(context(), schema=overlay(tmp_path, looser))
    root = etree.fromstring(one(FileType.MCF).octets)
    group = next(root.iter(f"{{{SCHEMA.namespace}}}GroupID"))
    group.addnext(etree.fromstring(f'<m:Surplus xmlns:m="{SCHEMA.namespace}">x</m:Surplus>'))
    etree.cleanup_namespaces(root)
    text = etree.tostring(root).decode().replace("m:Surplus", "mig:Surplus")
    text = text.replace(f' xmlns:m="{SCHEMA.namespace}"', "")
    data = signed_as(Role.REQUESTING_PARTY, etree.fromstring(text))
    error = check_octets(one(FileType.MCF).name, data, at).error
    assert error is not None
    assert (error.check.code, error.sub_code) == ("X-XSD", "03")
    assert "Surplus" in error.why


@pytest.mark.parametrize(
    "text",
    [
        "not XML",
        "<a/>",
        SHIPPED_TEXT.replace("mig:Header", "mig:None"),
        SHIPPED_TEXT.replace(
            "<xs:annotation>",
            '<xs:import namespace="urn:y" schemaLocation="http://127.0.0.1:9/y.xsd"/><xs:annotation>',
            1,
        ),
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"/></xs:schema>',
    ],
)
def test_what_is_no_schema_is_told_before_anything_is_checked(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="the migration schema cannot be used"):
        overlay(tmp_path, text)


def test_an_import_beside_the_schema_is_found(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "words.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:w">'
        '<xs:element name="w" type="xs:string"/></xs:schema>',
        "utf-8",
    )
    text = SHIPPED_TEXT.replace(
        "<xs:annotation>",
        '<xs:import namespace="urn:w" schemaLocation="words.xsd"/><xs:annotation>',
        1,
    )
    (tmp_path / "schemas" / "migration.xsd").write_text(text, "utf-8")
    assert load_schema([tmp_path]).namespace == SCHEMA.namespace


def test_an_inspection_tells_without_believing() -> None:
    mcf = one(FileType.MCF)
    found = inspect_octets(mcf.name, mcf.octets.replace(b"2021-W23", b"2021-W24"), SCHEMA)
    rows = found.rows(SCHEMA)
    assert rows["header"]["migration_week"] == "2021-W24"
    assert rows["signature"]["issuer"] == "CN=smetsbench issuing,OU=07"
    assert rows["findings"] == []
    (home_row,) = rows["content"]
    assert home_row["null_supplier_certificates"] == 4
    assert len(home_row["suppliers"]) == 2


def test_an_inspection_of_every_type_shows_no_secret() -> None:
    secret = factory_secrets(SEED)(device(2, 1)).s1sp.find("unicast")
    assert secret is not None
    files = [*built(), *answers(), *built(Wanted("EB", plaintext=True))]
    for file in files:
        rows = inspect_octets(file.name, file.octets, SCHEMA).rows(SCHEMA)
        assert rows["content"]
        assert rows["header"]["type"] == file.file.header.file_type
        assert secret.hex() not in str(rows).lower()


def test_an_inspection_goes_on_as_far_as_it_can() -> None:
    mcf = one(FileType.MCF)
    unsigned = mcf.octets[: mcf.octets.index(b"<ds:Signature>")] + b"</mig:MigrationCommonFile>"
    found = inspect_octets("x.xml", unsigned, SCHEMA)
    assert [finding.code for finding in found.findings] == ["X-SIG-NONE"]
    assert found.file is not None
    assert found.rows(SCHEMA)["known_name"] is False
    broken = inspect_octets("x.xml", b"not XML", SCHEMA)
    assert (broken.root, broken.file) == ("", None)
    assert [finding.code for finding in broken.findings] == ["X-XML"]
    wrong = inspect_octets("x.xml", unsigned.replace(b"GroupID>EA", b"GroupID>e"), SCHEMA)
    assert [finding.code for finding in wrong.findings] == ["X-SIG-NONE", "X-XSD"]
