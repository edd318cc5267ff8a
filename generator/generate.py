"""Generates generated/azure_imds_api from openapi.yaml: lints it, generates into a temporary folder, tries the package,
and replaces the old package as a whole."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib.metadata
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import openapi_python_client
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from ruff.__main__ import find_ruff_bin

from . import lint
from .absence import as_present, empty_forms, is_single_value, is_text
from .contract import Contract, described
from .hosts import list_hosts
from .samples import trial_plan
from .specification import Path_, Specification, SpecificationError

HERE = Path(__file__).parent
BANNER = (
    "# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.\n"
)
#: Modules of our own. openapi-python-client does not know them.
MODULES = ("descriptions.py", "documents.py", "lenient_reader.py", "members.py")
RUFF = ("--isolated", "--no-cache", "--target-version=py311", "--line-length=120")
#: Rules of ruff for undefined names and redefinitions: a name in the specification collided with a generated name.
COLLISIONS = "--select=E9,F402,F811,F821,F823"


class GenerationError(Exception):
    """The specification passed the lint, but no usable code could be generated from it."""


def generate(root: Path) -> bool:
    """Generates `generated/azure_imds_api` under `root`. Returns whether anything changed.

    Raises:
        SpecificationError, GenerationError: the folder is unchanged, byte for byte.
    """
    target = root / "generated" / "azure_imds_api"
    with _built(root) as fresh:
        if not difference(target, fresh):
            return False
        old = fresh.parent / "old"
        try:
            if target.exists():
                target.rename(old)
            fresh.rename(target)
        except BaseException as error:
            if old.exists():
                old.rename(target)
            if isinstance(error, OSError):
                raise GenerationError(f"{target} cannot be replaced: {error.strerror}") from None
            raise
    return True


def drift(root: Path) -> str:
    """A diff between the committed `generated/` and what openapi.yaml generates now. Empty if they are equal."""
    with _built(root) as fresh:
        return difference(root / "generated" / "azure_imds_api", fresh)


@contextlib.contextmanager
def _built(root: Path) -> Iterator[Path]:
    """Yields a generated and checked package, in a temporary folder on the destination's file system."""
    specification = Specification.load(root / "openapi.yaml")
    lint.check(specification)
    try:
        (root / "generated").mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".new-", dir=root / "generated"))
    except OSError as error:
        raise GenerationError(f"{root / 'generated'} cannot be written: {error.strerror}") from None
    try:
        fresh = folder / "azure_imds_api"
        _write(specification, root / "openapi.yaml", fresh, folder / "templates")
        _finish(specification, fresh)
        _check(specification, fresh)
        yield fresh
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(specification: Specification, source: Path, output: Path, templates: Path) -> None:
    config = Config.from_sources(
        ConfigFile.load_from_path(HERE / "config.yaml"),
        meta_type=MetaType.NONE,
        document_source=source,
        file_encoding="utf-8",
        overwrite=False,
        output_path=output,
    )
    prepare_templates(templates)
    try:
        data = GeneratorData.from_dict(described(specification), config=config)
        if isinstance(data, GeneratorError):
            raise GenerationError(_message(specification, [data]))
        contract = Contract(specification)
        for collection in data.endpoint_collections_by_tag.values():
            for endpoint in collection.endpoints:
                # Otherwise the low-level functions would require a credential that is optional.
                endpoint.requires_security = endpoint.requires_security and not contract.is_open(endpoint.name)
        project = Project(openapi=data, config=config, custom_template_path=templates)
        contract.forms = empty_forms(data.models)
        project.env.globals["contract"] = contract
        project.env.filters["as_present"] = as_present
        project.env.filters["is_single_value"] = is_single_value
        project.env.filters["is_text"] = is_text
        classes = [part.class_info.name for part in (*data.models, *data.enums)]
        project.env.filters["from_models"] = partial(re.sub, rf"\b({'|'.join(classes)})\b", r"models.\1")
        with contextlib.redirect_stdout(io.StringIO()):
            errors = project.build()
        for name in MODULES:
            (output / name).write_text(project.env.get_template(f"{name}.jinja").render(), encoding="utf-8")
    except GenerationError:
        raise
    except Exception as error:  # the generator crashes on some documents instead of reporting an error
        raise GenerationError(f"openapi.yaml: [generator] {type(error).__name__}: {error}") from error
    if errors:
        raise GenerationError(_message(specification, list(errors)))


def _message(specification: Specification, errors: list[GeneratorError]) -> str:
    """The generator's errors, each with the line of the operation or schema that its text names."""
    lines: list[str] = []
    for error in errors:
        message = " ".join(f"{error.header.strip()} {error.detail or ''}".split())
        place: Path_ = ()
        if operation := re.search(r"parsing ([A-Z]+) (\S+) within", message):
            place = ("paths", operation[2], operation[1].lower())
        elif schema := re.search(r"/components/schemas/([\w.-]*\w)", message):
            place = ("components", "schemas", schema[1])
        lines.append(str(specification.finding(place, "generator", message)))
    return "\n".join(lines)


def prepare_templates(folder: Path) -> None:
    """Copies our templates into `folder`, and stock templates with our patches applied.

    Raises:
        GenerationError: git is missing, or a patch does not apply. The message shows which upstream lines have changed.
    """
    shutil.copytree(HERE / "templates", folder)
    stock = Path(openapi_python_client.__file__).parent / "templates"
    # Without this, `git apply` would use the repository around `folder`, or the one in GIT_DIR if a hook has set that.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
        "GIT_CEILING_DIRECTORIES": str(folder.parent)
    }
    for patch in sorted(folder.rglob("*.patch")):
        template = patch.with_suffix("")
        shutil.copy(stock / template.relative_to(folder), template)
        try:
            applied = subprocess.run(
                ["git", "apply", "--whitespace=nowarn", patch.name],
                cwd=patch.parent,
                env=environment,
                capture_output=True,
                text=True,
            )
        except FileNotFoundError:
            raise GenerationError(
                "git, which applies the patches of templates, is not installed or not in PATH"
            ) from None
        if applied.returncode:
            version = importlib.metadata.version("openapi-python-client")
            raise GenerationError(
                f"generator/templates/{patch.relative_to(folder)} does not fit openapi-python-client {version}:\n"
                f"{applied.stderr}{_upstream_changes(patch, template)}"
            )


def _upstream_changes(patch: Path, template: Path) -> str:
    """A diff between the lines that a patch expects and the upstream lines, for each hunk that does not match."""
    upstream = template.read_text(encoding="utf-8").splitlines()
    changes: list[str] = []
    for hunk in re.split(r"^@@ -", patch.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        start = int(hunk.split(",")[0]) - 1
        expected = [line[1:] for line in hunk.splitlines()[1:] if line[:1] in (" ", "-")]
        if not any(upstream[i : i + len(expected)] == expected for i in range(len(upstream))):
            there = upstream[start : start + len(expected)]
            changes += difflib.unified_diff(expected, there, patch.name, f"upstream's line {start + 1}", lineterm="")
    return "\n".join(changes)


def _finish(specification: Specification, package: Path) -> None:
    """Adds the typing marker, the banner, hosts.json and provenance.json, and formats the code."""
    (package / "py.typed").touch()
    for module in package.rglob("*.py"):
        module.write_text(BANNER + module.read_text(encoding="utf-8"), encoding="utf-8")
    steps = (
        ("check", "--fix-only", "--quiet", "--select=F,I,UP", *RUFF),
        ("format", "--quiet", *RUFF),
        ("check", "--no-fix", "--quiet", "--output-format=concise", COLLISIONS, *RUFF),
    )
    for arguments in steps:
        done = subprocess.run([find_ruff_bin(), *arguments, "."], cwd=package, capture_output=True, text=True)
        if done.returncode:
            raise GenerationError(f"ruff {arguments[0]} failed on the generated code:\n{done.stderr}{done.stdout}")
    provenance = {
        "specification": {
            "file": "openapi.yaml",
            "version": specification.document["info"]["version"],
            "sha256": specification.sha256,
        },
        "templates": {"sha256": _hash(HERE / "templates", HERE / "config.yaml")},
        "tools": {name: importlib.metadata.version(name) for name in ("openapi-python-client", "ruff")},
    }
    for name, content in (("hosts", list_hosts(specification)), ("provenance", provenance)):
        (package / f"{name}.json").write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _hash(*places: Path) -> str:
    digest = hashlib.sha256()
    for place in places:
        for file in sorted(f for f in place.rglob("*") if f.is_file()) if place.is_dir() else [place]:
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _check(specification: Specification, package: Path) -> None:
    """Imports every module, and uses every model and operation once."""
    done = subprocess.run(
        [sys.executable, "-P", str(HERE / "trial.py"), str(package.parent)],
        env=os.environ | {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        input=json.dumps(trial_plan(specification)),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise GenerationError(f"the generated package cannot be imported:\n{done.stderr}")
    findings = {specification.finding(tuple(place), "trial", message) for place, message in json.loads(done.stdout)}
    if findings:
        raise SpecificationError(sorted(findings))


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def difference(committed: Path, fresh: Path) -> str:
    """A unified diff of two folders, including new and missing files."""
    before, after = _files(committed), _files(fresh)
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            changes = difflib.unified_diff(
                before.get(name, b"").decode(errors="replace").splitlines(keepends=True),
                after.get(name, b"").decode(errors="replace").splitlines(keepends=True),
                f"generated/azure_imds_api/{name}" if name in before else "/dev/null",
                f"regenerated/{name}" if name in after else "/dev/null",
            )
            # An empty file, or bytes that are not text, have no lines to show.
            kind = "changed" if name in before and name in after else "only on one side"
            lines += list(changes) or [f"{kind}: {name}\n"]
    return "".join(lines)
