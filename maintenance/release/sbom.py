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

from ..problem import Problem


def make_bill_of_materials(wheel: Path, when: int) -> str:
    """Lists what a wheel and its extras install, with the versions and licences of this environment.

    The text is reproducible: it is the same for the same wheel and time in the same environment. Packages that only an
    extra installs have the scope `optional`, and one property for each such extra. Requirements for other operating
    systems or Python versions are not included.

    Args:
        wheel: the file.
        when: the time stamp of the bill, in Unix seconds.

    Raises:
        Problem: a requirement is not installed, or the text does not match CycloneDX's schema.
    """
    with zipfile.ZipFile(wheel) as archive:
        [file] = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        described = Metadata.from_email(archive.read(file))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    product = _make_component(described)
    product.description = described.summary
    product.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))

    core = _resolve(_select_requirements(described, {""}))
    extras = {extra: _resolve(_select_requirements(described, {extra})) for extra in described.provides_extra or ()}
    edges: dict[str, set[str]] = {}
    for graph in (core, *extras.values()):
        for name, needed in graph.items():
            edges.setdefault(name, set()).update(needed)
    components = {name: _make_component(_read_installed(name)) for name in edges}
    for name, component in components.items():
        needed_by = [extra for extra, graph in extras.items() if name in graph and name not in core]
        component.scope = ComponentScope.OPTIONAL if needed_by else ComponentScope.REQUIRED
        component.properties.update(Property(name="azure-imds:extra", value=extra) for extra in needed_by)

    bill = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest),
        metadata=BomMetaData(
            component=product,
            timestamp=datetime.fromtimestamp(when, UTC),
            lifecycles=[PredefinedLifecycle(LifecyclePhase.BUILD)],
            properties=[Property(name="azure-imds:environment", value=_describe_environment())],
        ),
        components=components.values(),
    )
    direct = {canonicalize_name(requirement.name) for requirement in _select_requirements(described, {"", *extras})}
    bill.register_dependency(product, [components[name] for name in sorted(direct)])
    for name, needed in edges.items():
        bill.register_dependency(components[name], [components[other] for other in sorted(needed)])

    text = JsonV1Dot6(bill).output_as_string(indent=2) + "\n"
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise Problem(f"the bill of materials is invalid: {error}")
    return text


def _describe_environment() -> str:
    """Returns the Python version and platform that the versions were resolved for."""
    return f"Python {'.'.join(platform.python_version_tuple()[:2])}, {platform.system()} {platform.machine()}"


def _read_installed(name: str) -> Metadata:
    try:
        text = metadata.distribution(name).read_text("METADATA")
    except metadata.PackageNotFoundError:
        raise Problem(f"{name} is not installed: run `make` and try again") from None
    return Metadata.from_email(text or "", validate=False)


def _select_requirements(described: Metadata, extras: Iterable[str]) -> list[Requirement]:
    """Returns what a package needs on this machine with any of the extras. The empty string stands for no extra."""
    return [
        requirement
        for requirement in described.requires_dist or ()
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
    ]


def _resolve(requirements: Iterable[Requirement]) -> dict[str, set[str]]:
    """Returns everything that the requirements install. Each canonical name is mapped to its own requirements."""
    found: dict[str, set[str]] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = list(requirements)
    while todo:
        requirement = todo.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        needed = _select_requirements(_read_installed(key[0]), {"", *requirement.extras})
        found.setdefault(key[0], set()).update(canonicalize_name(other.name) for other in needed)
        todo += needed
    return found


def _make_component(described: Metadata) -> Component:
    name = canonicalize_name(described.name)
    url = PackageURL("pypi", name=name, version=str(described.version))
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=str(described.version),
        purl=url,
        bom_ref=str(url),
        licenses=_read_licences(described),
    )


def _read_licences(described: Metadata) -> list[License]:
    """Returns the licences from the metadata: an expression, a short text or classifiers."""
    factory = LicenseFactory()
    text = described.license_expression or described.license
    # Some packages put the whole licence text into this field.
    if text and "\n" not in text:
        return [factory.make_from_string(text)]
    names = [name.rpartition(" :: ")[2] for name in described.classifiers or () if name.startswith("License :: ")]
    return [factory.make_with_name(name) for name in names]
