"""The bill of materials of a wheel: CycloneDX 1.6, in JSON."""

from __future__ import annotations

import hashlib
import platform
import uuid
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import License
from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .problem import Problem


def bill_of_materials(wheel: Path, when: int) -> str:
    """What a wheel and its extras bring along, in the versions and with the licences that are installed here.

    The same wheel and time give the same text in the same environment. What only an extra brings has the scope
    `optional`, and properties that name those extras. Requirements for other systems or Pythons are not in it.

    Args:
        when: the bill's timestamp, in Unix seconds.

    Raises Problem where a requirement is not installed, or the text is not what CycloneDX's schema asks for.
    """
    with zipfile.ZipFile(wheel) as archive:
        [file] = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        described = Metadata.from_email(archive.read(file))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    product = _component(described)
    product.description = described.summary
    product.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))

    core = _closure(_requirements(described, {""}))
    extras = {extra: _closure(_requirements(described, {extra})) for extra in described.provides_extra or ()}
    edges: dict[str, set[str]] = {}
    for graph in (core, *extras.values()):
        for name, needed in graph.items():
            edges.setdefault(name, set()).update(needed)
    components = {name: _component(_installed(name)) for name in edges}
    for name, component in components.items():
        bringing = [extra for extra, graph in extras.items() if name in graph and name not in core]
        component.scope = ComponentScope.OPTIONAL if bringing else ComponentScope.REQUIRED
        component.properties.update(Property(name="azure-imds:extra", value=extra) for extra in bringing)

    bill = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest),
        metadata=BomMetaData(
            component=product,
            timestamp=datetime.fromtimestamp(when, UTC),
            lifecycles=[PredefinedLifecycle(LifecyclePhase.BUILD)],
            properties=[Property(name="azure-imds:environment", value=_environment())],
        ),
        components=components.values(),
    )
    direct = {canonicalize_name(one.name) for one in _requirements(described, {"", *extras})}
    bill.register_dependency(product, [components[name] for name in sorted(direct)])
    for name, needed in edges.items():
        bill.register_dependency(components[name], [components[other] for other in sorted(needed)])

    text = JsonV1Dot6(bill).output_as_string(indent=2) + "\n"
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise Problem(f"the bill of materials is not valid: {error}")
    return text


def _environment() -> str:
    """What the versions were resolved for."""
    return f"Python {'.'.join(platform.python_version_tuple()[:2])}, {platform.system()} {platform.machine()}"


def _installed(name: str) -> Metadata:
    try:
        text = metadata.distribution(name).read_text("METADATA")
    except metadata.PackageNotFoundError:
        raise Problem(f"{name} is not installed here: run `make` and try again") from None
    return Metadata.from_email(text or "", validate=False)


def _requirements(described: Metadata, extras: Iterable[str]) -> list[Requirement]:
    """What a package needs on this machine with any of some extras; the empty one stands for none."""
    return [
        requirement
        for requirement in described.requires_dist or ()
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
    ]


def _closure(requirements: Iterable[Requirement]) -> dict[str, set[str]]:
    """Everything that some requirements bring along, by canonical name, each with what it needs itself."""
    found: dict[str, set[str]] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = list(requirements)
    while todo:
        requirement = todo.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        needed = _requirements(_installed(key[0]), {"", *requirement.extras})
        found.setdefault(key[0], set()).update(canonicalize_name(one.name) for one in needed)
        todo += needed
    return found


def _component(described: Metadata) -> Component:
    name = canonicalize_name(described.name)
    url = PackageURL("pypi", name=name, version=str(described.version))
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=str(described.version),
        purl=url,
        bom_ref=str(url),
        licenses=_licences(described),
    )


def _licences(described: Metadata) -> list[License]:
    """As the package's metadata say it: an expression, a short text, or classifiers."""
    make = LicenseFactory()
    text = described.license_expression or described.license
    # Some put the whole text of the licence there.
    if text and "\n" not in text:
        return [make.make_from_string(text)]
    names = [one.rpartition(" :: ")[2] for one in described.classifiers or () if one.startswith("License :: ")]
    return [make.make_with_name(name) for name in names]
