"""Generation is reproducible and atomic, and a change of openapi.yaml reaches users of the wrapper."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, get_args, get_type_hints

import openapi_python_client
import pytest

from azure_imds_api import client as clients
from azure_imds_api import models
from azure_imds_api.api import AsyncOperations, Operations, tag_property
from azure_imds_api.api.identity import identity_get_token
from azure_imds_api.descriptions import DESCRIPTIONS
from generator import generate as generation
from generator.contract import Contract, python_pattern
from generator.generate import GenerationError, difference, drift, generate
from generator.names import python_name, python_tag
from generator.specification import Specification, SpecificationError
from support import ROOT

#: The project's own contract, as data.
CONTRACT = Specification.load(ROOT / "openapi.yaml")
OPERATIONS = CONTRACT.operations()
TAGS = [name for name, member in vars(Operations).items() if isinstance(member, tag_property)]
PACKAGE = ROOT / "generated" / "azure_imds_api"

#: A minimal contract with everything that generation treats specially.
SMALL = """\
openapi: 3.1.0
info: {title: Small, version: "7"}
paths:
  /thing:
    get:
      operationId: Things_GetThing
      tags: [things]
      parameters:
        - name: colour
          in: query
          schema: {type: string, enum: [red, green]}
      responses:
        "200":
          description: A thing.
          content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}
components:
  schemas:
    Thing:
      type: object
      properties:
        name: {type: string}
        key: {type: string, format: password}
"""


def files(folder: Path) -> dict[str, bytes]:
    """Every file in the folder, except for Python's caches."""
    found = (f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
    return {str(f.relative_to(folder)): f.read_bytes() for f in found}


def project(folder: Path, text: str = SMALL) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openapi.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, generated once. Tests must not change it."""
    root = project(tmp_path_factory.mktemp("small"))
    generate(root)
    return root


@pytest.fixture
def small(finished: Path, tmp_path: Path) -> Path:
    """A copy of the small project, generated."""
    root = tmp_path / "small"
    shutil.copytree(finished, root)
    return root


def command(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "generator", "--root", str(root), *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
    )


def test_the_committed_code_matches_the_contract() -> None:
    assert drift(ROOT) == ""


def test_no_folder_setting_or_hash_seed_changes_a_byte(tmp_path: Path, finished: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.ruff]\nline-length = 40\n[tool.ruff.format]\nquote-style='single'\n"
    )
    (tmp_path / "ruff.toml").write_text("indent-width = 2\n")
    root = project(tmp_path / "deep" / "inside")
    (root / ".ruff.toml").write_text("line-length = 60\n")
    done = command(root, PYTHONHASHSEED="4711", GIT_DIR=str(tmp_path / "nowhere"))
    assert done.returncode == 0, done.stderr
    assert files(root / "generated") == files(finished / "generated")


def test_generating_again_changes_nothing(small: Path) -> None:
    module = small / "generated" / "azure_imds_api" / "types.py"
    before = module.stat()
    assert generate(small) is False
    assert (module.stat().st_ino, module.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_missing_folder_is_created(finished: Path) -> None:
    assert (finished / "generated" / "azure_imds_api" / "__init__.py").is_file()


def test_every_module_says_that_it_is_generated() -> None:
    modules = [text.decode() for name, text in files(PACKAGE).items() if name.endswith(".py")]
    assert [
        text for text in modules if not text.startswith("# Generated from openapi.yaml by `make`. Do not edit")
    ] == []


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_the_package_contains_no_other_files() -> None:
    others = {name for name in files(PACKAGE) if not name.endswith(".py")}
    assert others == {"py.typed", "hosts.json", "provenance.json"}


def provenance() -> dict[str, Any]:
    value: dict[str, Any] = json.loads((PACKAGE / "provenance.json").read_text(encoding="utf-8"))
    return value


def test_the_provenance_names_the_contract_by_its_hash() -> None:
    digest = hashlib.sha256((ROOT / "openapi.yaml").read_bytes()).hexdigest()
    assert provenance()["specification"]["sha256"] == digest


def test_the_provenance_names_the_contracts_version() -> None:
    assert provenance()["specification"]["version"] == CONTRACT.document["info"]["version"]


@pytest.mark.parametrize("tool", ["openapi-python-client", "ruff"])
def test_the_provenance_names_the_versions_of_the_tools(tool: str) -> None:
    assert provenance()["tools"][tool] == importlib.metadata.version(tool)


def test_a_changed_file_is_drift(small: Path) -> None:
    module = small / "generated" / "azure_imds_api" / "types.py"
    module.write_text(module.read_text() + "# by hand\n")
    assert "--- generated/azure_imds_api/types.py" in drift(small)


def folders(tmp_path: Path, committed: dict[str, bytes], fresh: dict[str, bytes]) -> tuple[Path, Path]:
    for folder, content in {"committed": committed, "fresh": fresh}.items():
        (tmp_path / folder).mkdir()
        for name, data in content.items():
            (tmp_path / folder / name).write_bytes(data)
    return tmp_path / "committed", tmp_path / "fresh"


@pytest.mark.parametrize(
    ("committed", "fresh", "said"),
    [
        pytest.param({"a.py": b"x\n"}, {"a.py": b"y\n"}, "-x\n+y\n", id="changed"),
        pytest.param({"a.py": b"x\n"}, {}, "--- generated/azure_imds_api/a.py\n+++ /dev/null\n", id="extra"),
        pytest.param({}, {"a.py": b"x\n"}, "--- /dev/null\n+++ regenerated/a.py\n", id="missing"),
        pytest.param({"py.typed": b""}, {}, "only on one side: py.typed\n", id="extra-and-empty"),
        pytest.param({}, {"py.typed": b""}, "only on one side: py.typed\n", id="missing-and-empty"),
        pytest.param({"a.bin": b"\xff\n"}, {}, "+++ /dev/null\n", id="no-text"),
        pytest.param({"a.bin": b"\xff\n"}, {"a.bin": b"\xfe\n"}, "changed: a.bin\n", id="changed-and-no-text"),
    ],
)
def test_the_difference_shows_every_kind_of_change(
    tmp_path: Path, committed: dict[str, bytes], fresh: dict[str, bytes], said: str
) -> None:
    assert said in difference(*folders(tmp_path, committed, fresh))


def test_equal_folders_have_no_difference(tmp_path: Path) -> None:
    same = {"a.py": b"x\n", "py.typed": b""}
    assert difference(*folders(tmp_path, same, same)) == ""


def test_the_check_fails_with_the_difference_and_changes_nothing(small: Path) -> None:
    (small / "generated" / "azure_imds_api" / "stray.py").write_text("stray = 1\n")
    before = files(small)
    done = command(small, "--check")
    assert done.returncode == 1
    assert "-stray = 1" in done.stdout
    assert files(small) == before


def test_files_of_an_earlier_generation_are_removed(small: Path, finished: Path) -> None:
    for stale in ("old.py", "models/old.py", "api/old_tag/__init__.py"):
        file = small / "generated" / "azure_imds_api" / stale
        file.parent.mkdir(exist_ok=True)
        file.write_text("old = True\n")
    generate(small)
    assert files(small) == files(finished)


def fails(*_: object, **__: object) -> Any:
    raise RuntimeError("the phase failed")


def no_rename(self: Path, target: Path) -> Path:
    if self.parent.name.startswith(".new-") and self.name == "azure_imds_api":
        raise OSError(13, "Permission denied")
    return Path(os.rename(self, target) or target)


def interrupted(self: Path, target: Path) -> Path:
    if self.parent.name.startswith(".new-") and self.name == "azure_imds_api":
        raise KeyboardInterrupt
    return Path(os.rename(self, target) or target)


CHANGED = SMALL.replace("name: {type: string}", "title: {type: string}")
UNMERGEABLE = """\
    Both:
      allOf:
        - $ref: "#/components/schemas/Thing"
        - type: object
          properties: {name: {type: integer}}
"""
UNREADABLE = SMALL.replace('"200":', '"299":')


@pytest.mark.parametrize(
    ("text", "patched", "replacement", "error", "said"),
    [
        pytest.param("paths: [", "", None, SpecificationError, "[yaml]", id="reading"),
        pytest.param(
            SMALL.replace("Things_GetThing", "Things_Import"),
            "",
            None,
            SpecificationError,
            "[operation-id]",
            id="the-lint",
        ),
        pytest.param(SMALL + UNMERGEABLE, "", None, GenerationError, "[generator]", id="the-generators-refusal"),
        pytest.param(
            CHANGED, "GeneratorData.from_dict", fails, GenerationError, "the phase failed", id="the-generators-parser"
        ),
        pytest.param(
            CHANGED, "Project.build", fails, GenerationError, "the phase failed", id="the-generators-templates"
        ),
        pytest.param(
            CHANGED, "find_ruff_bin", lambda: sys.executable, GenerationError, "ruff check failed", id="the-formatter"
        ),
        pytest.param(
            CHANGED, "BANNER", "import nothing_of_this_name\n", GenerationError, "cannot be imported", id="the-import"
        ),
        pytest.param(UNREADABLE, "", None, SpecificationError, "[trial]", id="the-trial"),
        pytest.param(
            CHANGED, "Path.rename", no_rename, GenerationError, "cannot be replaced: Permission denied", id="the-swap"
        ),
        pytest.param(CHANGED, "Path.rename", interrupted, KeyboardInterrupt, "", id="an-interrupted-swap"),
    ],
)
def test_a_failure_does_not_change_the_generated_files(
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    patched: str,
    replacement: object,
    error: type[BaseException],
    said: str,
) -> None:
    project(small, text)
    before = files(small)
    if patched:
        monkeypatch.setattr(f"generator.generate.{patched}", replacement)
    with pytest.raises(error) as raised:
        generate(small)
    assert said in str(raised.value)
    assert files(small) == before
    assert [entry.name for entry in (small / "generated").iterdir()] == ["azure_imds_api"]


def test_a_terminated_generation_leaves_no_files(small: Path) -> None:
    project(small, CHANGED)
    before = files(small)
    program = (
        "import os, signal, sys; from generator import generate;"
        "generate._finish = lambda *_: os.kill(os.getpid(), signal.SIGTERM);"
        f"sys.argv = ['generator', '--root', {str(small)!r}]; import generator.__main__"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 128 + 15, done.stderr
    assert files(small) == before
    assert [entry.name for entry in (small / "generated").iterdir()] == ["azure_imds_api"]


def test_an_error_of_the_generator_names_the_line(small: Path) -> None:
    project(small, SMALL + UNMERGEABLE)
    line = (SMALL + UNMERGEABLE).splitlines().index("    Both:") + 1
    with pytest.raises(GenerationError, match=rf"openapi\.yaml:{line}: \[generator\] .*can't be merged"):
        generate(small)


ODDITIES = """\
        - name: shades
          in: query
          schema: {type: array, items: {type: string}, default: [dark]}
"""
STRANGE_STATUS = """\
  /other:
    get:
      operationId: Things_GetOther
      tags: [things]
      responses:
        "299": {description: Odd., content: {application/json: {schema: {type: string}}}}
"""
COLLIDING = """\
        check_kind: {type: string}
        kind: {$ref: "#/components/schemas/Kind"}
"""
ODD = (
    SMALL.replace("      responses:\n", ODDITIES + "      responses:\n")
    .replace("components:\n", STRANGE_STATUS + "components:\n")
    .replace("        name: {type: string}\n", "        name: {type: string}\n" + COLLIDING)
    + "    Kind: {type: string, enum: [a, b]}\n"
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.raises(SpecificationError) as raised:
        generate(project(tmp_path_factory.mktemp("odd"), ODD))
    return str(raised.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("  /thing:", "the query: wrong, missing or unexpected: 'shades'", id="a-default-that-is-lost"),
        pytest.param("  /other:", "299 is not a valid HTTPStatus", id="an-answer-that-crashes"),
        pytest.param("    Thing:", "'str' object is not callable", id="a-property-that-hides-a-function"),
    ],
)
def test_the_trial_finds_problems_that_no_rule_covers(odd: str, line: str, said: str) -> None:
    number = ODD.splitlines().index(line) + (2 if line.startswith("  /") else 1)
    assert any(f"openapi.yaml:{number}: [trial] " in finding and said in finding for finding in odd.splitlines())


@pytest.fixture
def own_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the generator's templates, which the generator uses instead of its own."""
    shutil.copytree(generation.HERE / "templates", tmp_path / "generator" / "templates")
    monkeypatch.setattr(generation, "HERE", tmp_path / "generator")
    return tmp_path / "generator" / "templates"


def test_a_patch_that_does_not_fit_stops_generation_and_shows_the_upstream_lines(
    own_templates: Path, tmp_path: Path
) -> None:
    patch = own_templates / "types.py.jinja.patch"
    patch.write_text(patch.read_text().replace("-class Unset:", "-class Missing:"))
    with pytest.raises(GenerationError) as raised:
        generation.prepare_templates(tmp_path / "ready")
    assert "types.py.jinja.patch does not fit openapi-python-client" in str(raised.value)
    assert "-class Missing:\n+class Unset:\n" in str(raised.value)


def test_patches_apply_inside_a_work_tree(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    generation.prepare_templates(tmp_path / "ready")
    assert "Unset = NoneType" in (tmp_path / "ready" / "types.py.jinja").read_text()


#: The stock templates that ours replace. If one of them changes, check whether ours must change, too.
REPLACED = {
    "api_init.py.jinja": '""" Contains methods for accessing the API """\n',
    "endpoint_init.py.jinja": '""" Contains endpoint functions for accessing the API """\n',
    "models_init.py.jinja": '''\
""" Contains all the data models used in inputs/outputs """

{% for import in imports | sort %}
{{ import }}
{% endfor %}

{% if imports %}
__all__ = (
    {% for all in alls | sort %}
    "{{ all }}",
    {% endfor %}
)
{% endif %}
''',
}


@pytest.mark.parametrize("template", REPLACED)
def test_a_replaced_stock_template_is_unchanged(template: str) -> None:
    stock = Path(openapi_python_client.__file__).parent / "templates" / template
    assert stock.read_text(encoding="utf-8") == REPLACED[template]


def test_every_template_of_ours_is_a_patch_or_listed() -> None:
    ours = {
        file.name for file in (generation.HERE / "templates").iterdir() if file.is_file() and file.suffix != ".patch"
    }
    assert ours == {*REPLACED, *(f"{name}.jinja" for name in generation.MODULES)}


@pytest.mark.parametrize(
    ("pattern", "python"),
    [
        (r"^a$", r"^a\Z"),
        (r"^a$|^b$", r"^a\Z|^b\Z"),
        (r"^a\$", r"^a\$"),
        (r"^[$]$", r"^[$]\Z"),
        (r"^\d+$", r"^[0-9]+\Z"),
        (r"^[\w-]$", r"^[A-Za-z0-9_-]\Z"),
        (r"^\\$", r"^\\\Z"),
    ],
)
def test_a_pattern_means_in_python_what_it_means_in_json_schema(pattern: str, python: str) -> None:
    assert python_pattern(pattern) == python


def rules(parameter: str) -> dict[str, Any]:
    """The rules of `colour` where the small contract describes it like this."""
    text = SMALL.replace("          schema: {type: string, enum: [red, green]}\n", indent(dedent(parameter), " " * 10))
    found: dict[str, Any] = Contract(Specification(text)).facts("things_get_thing")["rules"]["colour"]
    return found


@pytest.mark.parametrize(
    ("parameter", "example"),
    [
        pytest.param("schema: {type: string, pattern: ^r, examples: [red, rose]}\n", "red", id="of-the-schema"),
        pytest.param("example: red\nschema: {type: string, pattern: ^r}\n", "red", id="of-the-parameter"),
        pytest.param("examples: {R: {value: red}}\nschema: {type: string, maxLength: 3}\n", "red", id="by-its-name"),
        pytest.param("schema: {type: string, pattern: ^r, default: red}\n", "red", id="its-default"),
        pytest.param("schema: {type: integer, minimum: 5, examples: [7]}\n", 7, id="of-a-limit"),
        pytest.param("schema: {type: string, enum: [red], examples: [red]}\n", None, id="none-for-an-enumeration"),
        pytest.param("schema: {type: string, minLength: 1}\n", None, id="none-without-one"),
    ],
)
def test_the_rules_of_an_argument_carry_a_valid_value(parameter: str, example: object) -> None:
    assert rules(parameter).get("example") == example


def test_the_rules_of_a_bodys_member_carry_a_valid_value() -> None:
    from azure_imds_api.api.scheduled_events import SCHEDULED_EVENTS_START_EVENTS

    requests = SCHEDULED_EVENTS_START_EVENTS.rules["body"]["properties"]["StartRequests"]
    assert requests["items"]["properties"]["EventId"]["example"] == "00000000-0000-0000-0000-0000000000A1"


def test_an_operation_has_the_name_that_users_type() -> None:
    operations = {o.id: Contract(CONTRACT).facts(python_name(o.id))["name"] for o in OPERATIONS}
    assert operations["Identity_GetToken"] == "identity.get_token"
    for name in operations.values():
        attribute, method = name.split(".")
        assert callable(getattr(getattr(Operations(send=lambda *_: None), attribute), method))


def test_the_descriptions_have_every_operation_and_argument() -> None:
    for name, described in DESCRIPTIONS.items():
        tag, method = name.split(".")
        function = getattr(getattr(Operations, tag), method)
        assert list(described.arguments) == list(inspect.signature(function).parameters)[1:]
        assert (inspect.getdoc(function) or "").startswith(f"{described.summary}\n\n")
    methods = {o.id for o in OPERATIONS if "x-stands-for" not in o.data}
    assert {described.operation_id for described in DESCRIPTIONS.values()} == methods


def test_the_descriptions_are_copied_from_the_contract() -> None:
    (operation,) = (o for o in OPERATIONS if o.id == "Identity_GetToken")
    described = DESCRIPTIONS["identity.get_token"]
    assert described.summary == operation.data["summary"].strip()
    assert described.description == operation.data["description"].strip()
    parameters = {p["name"]: p["schema"]["description"] for p in operation.data["parameters"] if "name" in p}
    assert described.arguments["client_id"] == parameters["client_id"]


def test_reading_descriptions_imports_neither_models_nor_httpx() -> None:
    code = (
        "import sys, azure_imds_api.descriptions; print({'attrs', 'httpx', 'azure_imds_api.models'} & {*sys.modules})"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_a_response_imports_only_its_own_models() -> None:
    code = """
import sys, httpx
from azure_imds_api.api.instances import INSTANCES_GET_METADATA
from azure_imds_api.api.identity import IDENTITY_GET_TOKEN
IDENTITY_GET_TOKEN.parse(client=None, response=httpx.Response(200, json={"access_token": "x"}))
print(*(name for name in sys.modules if name.startswith("azure_imds_api.models.")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "azure_imds_api.models.identity_token_response\n"


def methods() -> list[Any]:
    """Every method of the facade, sync and async."""
    classes = [getattr(kind, tag) for kind in (Operations, AsyncOperations) for tag in TAGS]
    return [pytest.param(method, id=method.__qualname__) for each in classes for method in vars(each).values()
            if inspect.isfunction(method) and not method.__name__.startswith("_")]  # fmt: skip


@pytest.mark.parametrize("method", methods())
def test_required_arguments_come_first(method: Any) -> None:
    optional = [p.default is not p.empty for p in inspect.signature(method).parameters.values()]
    assert optional == sorted(optional)


@pytest.mark.parametrize("method", methods())
def test_programs_can_read_the_types_of_a_method(method: Any) -> None:
    assert get_type_hints(method).keys() == {*inspect.signature(method).parameters, "return"} - {"self"}


@pytest.mark.parametrize("method", methods())
def test_a_docstring_describes_the_arguments_in_their_order(method: Any) -> None:
    described = inspect.getdoc(method) or ""
    arguments = described.partition("\nArgs:\n")[2].partition("\nReturns:")[0]
    assert re.findall(r"^    (\w+): ", arguments, re.MULTILINE) == list(inspect.signature(method).parameters)[1:]


@pytest.mark.parametrize("method", methods())
def test_a_docstring_says_what_is_returned_and_raised(method: Any) -> None:
    described = inspect.getdoc(method) or ""
    assert re.search(r"\nReturns:\n    \w+: \S.*\n(.+\n)*\nRaises:\n    ImdsError: ", described)


@pytest.mark.parametrize("kind", [Operations, AsyncOperations])
@pytest.mark.parametrize("tag", TAGS)
def test_a_tags_own_description_is_in_its_docstrings(kind: type[Any], tag: str) -> None:
    descriptions = {python_tag(t["name"]): t["description"] for t in CONTRACT.document["tags"] if "description" in t}
    described = descriptions.get(tag, f"The {tag} operations.")
    documents = [vars(kind)[tag].__doc__, getattr(kind, tag).__doc__]
    assert [" ".join(document.split()) for document in documents] == [" ".join(described.split())] * 2


@pytest.mark.parametrize("client", ["Client", "AuthenticatedClient"])
def test_an_optional_credential_lets_the_low_level_functions_take_either_client(client: str) -> None:
    names = {name: getattr(models, name) for name in models.__all__} | vars(clients)
    parameter = inspect.signature(identity_get_token.sync, eval_str=True, locals=names).parameters["client"]
    assert client in {kind.__name__ for kind in get_args(parameter.annotation)}


@pytest.mark.parametrize("first", ["thing", "owner"])
def test_models_may_refer_to_each_other_in_any_import_order(tmp_path: Path, first: str) -> None:
    text = SMALL.replace("name: {type: string}", 'owner: {$ref: "#/components/schemas/Owner"}')
    text += (
        '    Owner: {type: object, properties: {things: {type: array, items: {$ref: "#/components/schemas/Thing"}}}}\n'
    )
    root = project(tmp_path, text)
    generate(root)
    code = f"""
import azure_imds_api.models.{first}
from azure_imds_api.models import Thing
print(Thing.from_dict({{"owner": {{"things": [{{}}]}}}}).owner.things[0].owner)
"""
    environment = os.environ | {"PYTHONPATH": str(root / "generated")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_what_only_the_low_level_client_needs_is_not_imported_for_the_facade() -> None:
    code = "import sys, azure_imds_api.api.identity; print('azure_imds_api.client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param("{type: string, format: password}", id="itself"),
        pytest.param('{$ref: "#/components/schemas/Secret"}', id="by-reference"),
        pytest.param('{allOf: [{$ref: "#/components/schemas/Secret"}]}', id="by-all-of"),
        pytest.param("{anyOf: [{type: integer}, {type: string, format: password}]}", id="in-a-union"),
        pytest.param('{type: array, items: {$ref: "#/components/schemas/Secret"}}', id="in-a-list"),
    ],
)
def test_a_secret_is_recognized_in_every_schema(schema: str) -> None:
    text = SMALL.replace("name: {type: string}", f"hidden: {schema}")
    text += "    Secret: {type: string, format: password}\n"
    assert Contract(Specification(text)).secrets == {"hidden", "key"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", ('"""GET /thing', "colour: Sent as `colour` in the query.\n")),
        ("tags: [things]", 'tags: [things]\n      summary: "Get it"', ('"""Get it\n',)),
        ("red, green]", "red, green], description: Its hue.", ("colour: Its hue.\n",)),
    ],
    ids=["nothing", "a-summary", "an-argument"],
)
def test_what_a_document_does_not_describe_is_described_by_its_request(
    tmp_path: Path, finished: Path, old: str, new: str, said: tuple[str, ...]
) -> None:
    root = finished
    if old:
        assert SMALL.count(old) == 1
        root = project(tmp_path, SMALL.replace(old, new))
        generate(root)
    text = (root / "generated" / "azure_imds_api" / "api" / "things" / "__init__.py").read_text(encoding="utf-8")
    assert [part for part in said if text.count(part) != 2] == []


CHANGES = {
    # the text before which the addition is inserted: the addition
    "        - name: client_id\n": """\
        - name: shape
          in: query
          schema:
            type: string
            enum: [round, square]
            default: round
            description: What the token looks like.
        - name: X-Trace
          in: header
          schema: {type: boolean, description: Whether to trace.}
        - name: tries
          in: query
          schema: {type: integer, minimum: 1, maximum: 3}
        - name: part
          in: query
          schema: {type: array, maxItems: 2, items: {type: string, pattern: ^p}}
""",
    "  /loadbalancer:\n": """\
  /tea/{pot}:
    summary: Tea.
    parameters:
      - name: pot
        in: path
        required: true
        schema: {type: string}
    put:
      operationId: Tea_BrewTea
      deprecated: true
      tags: [tea]
      summary: Brew tea
      parameters:
        - $ref: "#/components/parameters/Metadata"
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Leaves"}}}
      responses:
        "200":
          description: Tea.
          content:
            application/json:
              schema: {type: array, items: {$ref: "#/components/schemas/Cup"}}
        default:
          $ref: "#/components/responses/Error"
    get:
      operationId: Tea_GetTea
      tags: [tea]
      responses:
        "200":
          description: The kind of tea.
          content: {text/plain: {schema: {type: string}}}
    delete:
      operationId: Tea_DrinkTea
      tags: [tea]
      responses:
        "204": {description: Gone.}
""",
    "    TrueFlag:\n": """\
    Leaves:
      type: object
      required: [kind]
      properties:
        kind: {type: string, minLength: 1}
        blend: {type: array, items: {$ref: "#/components/schemas/Leaves2"}}
    Leaves2: {type: object, properties: {grams: {type: number}}}
    Cup:
      type: object
      required: [full, kind]
      properties:
        full: {type: boolean}
        kind: {type: string, enum: [green, black]}
        hot: {type: [string, "null"]}
        size: {anyOf: [{type: integer}, {type: string}]}
        saucer: {type: object, properties: {colour: {type: string}}}
        labels: {type: object, additionalProperties: {type: string}}
        cups: {type: array, items: {$ref: "#/components/schemas/Cup"}}
        class: {type: string, description: "A name that Python keeps to itself, \\"quoted\\" and with a \\\\."}
        more: {}
    BigCup:
      allOf:
        - $ref: "#/components/schemas/Cup"
        - {type: object, required: [litres], properties: {litres: {type: number}}}
""",
    "        tenantId:\n          type: string\n": """\
        tenantName:
          type: string
          description: The tenant's name.
""",
    "        - invalid_request\n": "        - brand_new_code\n",
}

USER = """
import asyncio, inspect, json, sys
import httpx
from azure_imds import AsyncImdsClient, ImdsClient, ImdsValidationError
from azure_imds_api import models

sent = []
CUPS = [{"full": True, "kind": "lemon", "saucer": {"colour": "blue"}, "labels": {"a": "b"}, "class": "x", "more": [1]}]

def answer(request):
    sent.append([request.method, request.url.raw_path.decode(), dict(request.headers), request.content.decode()])
    if request.url.path.endswith("token"):
        return httpx.Response(200, json={"access_token": "x"})
    if request.url.path.endswith("info"):
        return httpx.Response(200, json={"tenantId": "t", "tenantName": "n"})
    if request.method == "GET":
        return httpx.Response(200, text="green")
    return httpx.Response(200, json=CUPS) if request.method == "PUT" else httpx.Response(204)

ODD = {"full": True, "kind": "black", "litres": 2.5, "hot": None}
ODD |= {"labels": 5, "saucer": "x", "cups": [1]}
odd = models.BigCup.from_dict(ODD)

def signature(method):
    return str(inspect.signature(method, eval_str=True))

def refused(call, **arguments):
    try:
        call(**arguments)
    except ImdsValidationError as error:
        return error.parameter

leaves = models.Leaves(kind="green")
with ImdsClient(transport=httpx.MockTransport(answer)) as imds:
    report = {
        "file": models.__file__,
        "signature": signature(imds.tea.brew_tea),
        "token": signature(imds.identity.get_token),
        "doc": imds.tea.brew_tea.__doc__,
        "cups": [[cup.full, cup.kind, cup.saucer.colour, cup.hot, cup.labels["a"], cup.class_, cup.more]
                 for cup in imds.tea.brew_tea("a/b", body=leaves)],
        "text": imds.tea.get_tea("x"),
        "nothing": imds.tea.drink_tea("x"),
        "name": imds.identity.get_info().tenant_name,
        "big": models.BigCup.from_dict({"full": True, "kind": "black", "litres": 2.5}).litres,
        "odd": odd.to_dict() == ODD and [odd.labels, odd.saucer, odd.cups, odd.kind, odd.litres],
        "refused": [
            refused(imds.identity.get_token, resource="r", shape="oval"),
            refused(imds.identity.get_token, resource="r", tries=4),
            refused(imds.identity.get_token, resource="r", part=["p", "q"]),
            refused(imds.tea.brew_tea, pot="", body=leaves),
            refused(imds.tea.brew_tea, pot="x", body=models.Leaves(kind="")),
        ],
    }
    sent.clear()
    imds.identity.get_token(resource="r")
    imds.identity.get_token(resource="r", shape="square", x_trace=True, tries=2, part=["p1", "p2"])
    report["sent"] = sent

async def twin():
    async with AsyncImdsClient(transport=httpx.MockTransport(answer)) as imds:
        report["async signature"] = signature(imds.tea.brew_tea)
        report["async text"] = await imds.tea.get_tea("x")

asyncio.run(twin())
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A report of what users of the wrapper see after a change of the contract only."""
    text = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")
    for place, addition in CHANGES.items():
        assert text.count(place) == 1, place
        text = text.replace(place, addition + place)
    root = project(tmp_path_factory.mktemp("changed"), text)
    generate(root)
    paths = os.pathsep.join([str(root / "generated"), str(ROOT / "wrapper")])
    done = subprocess.run(
        [sys.executable, "-c", USER], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["file"].startswith(str(root))
    return report


def test_a_new_parameter_is_in_the_signature_with_its_type(changed: dict[str, Any]) -> None:
    # Python's versions write an optional type in different ways.
    assert re.search(r"shape: [^,]*Literal\['round', 'square'\][^,]* = None", changed["token"])


def test_a_new_operation_of_a_new_tag_has_its_types(changed: dict[str, Any]) -> None:
    cup, leaves = "azure_imds_api.models.cup.Cup", "azure_imds_api.models.leaves.Leaves"
    assert changed["signature"] == f"(pot: str, *, body: {leaves}) -> list[{cup}]"


def test_the_async_method_has_the_same_signature(changed: dict[str, Any]) -> None:
    assert changed["async signature"] == changed["signature"]


def test_the_async_method_returns_the_same(changed: dict[str, Any]) -> None:
    assert changed["async text"] == changed["text"] == "green"


def test_a_new_operation_has_its_summary_and_deprecation_in_its_docstring(changed: dict[str, Any]) -> None:
    assert changed["doc"].startswith("Brew tea")
    assert "Deprecated." in changed["doc"]


def test_a_new_answer_is_parsed_at_every_depth(changed: dict[str, Any]) -> None:
    assert changed["cups"] == [[True, "lemon", "blue", None, "b", "x", [1]]]


def test_an_answer_without_a_body_is_none(changed: dict[str, Any]) -> None:
    assert changed["nothing"] is None


def test_a_new_field_of_an_answer_is_an_attribute(changed: dict[str, Any]) -> None:
    assert changed["name"] == "n"


def test_a_combined_model_has_the_members_of_both(changed: dict[str, Any]) -> None:
    assert changed["big"] == 2.5


def test_optional_members_of_every_kind_read_as_absent_if_they_have_another_shape(changed: dict[str, Any]) -> None:
    assert changed["odd"] == [None, None, None, "black", 2.5]


def test_new_constraints_are_enforced_before_anything_is_sent(changed: dict[str, Any]) -> None:
    assert changed["refused"] == ["shape", "tries", "part", "pot", "body"]


def test_a_new_default_is_sent(changed: dict[str, Any]) -> None:
    assert "shape=round" in changed["sent"][0][1]


def test_new_parameters_are_sent_in_their_places(changed: dict[str, Any]) -> None:
    _, path, headers, _ = changed["sent"][1]
    assert "shape=square&tries=2&part=p1&part=p2" in path
    assert headers["x-trace"] == "true"
