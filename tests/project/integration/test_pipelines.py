"""The steps of the update pipeline, as an agent runs them: with an upstream description, a document and a remote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from maintenance_support import copy, edited, git, made_once
from pipelines_support import UPDATE, find_steps, provide_environment
from support import CANARY, Wire, raw_server, reply

#: The first test runs the pipeline: it generates the client, compares and type-checks it.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

#: Instead of all tests: one that sees the new document.
TESTS = "--tests='-q -p no:cacheprovider tests/project/generator/test_contract.py'"


def newer(document: dict[str, Any]) -> None:
    document["info"]["version"] = "9.8.7"
    document["components"]["schemas"]["Compute"]["properties"]["rack"] = {"type": "string", "description": "Where."}


@frozen
class Story:
    """What the pipeline did.

    Attributes:
        codes: the exit codes of the steps.
        outputs: what the steps printed.
        again: what the last step printed when the pipeline ran a second time.
        changed: the files of the new branch that differ from main.
        message: the message of its commit.
        description: the file that the run keeps.
    """

    codes: dict[str, int]
    outputs: dict[str, str]
    again: str
    changed: list[str]
    message: str
    description: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return made_once(tmp_path_factory, "pipeline", lambda: run_pipeline(tmp_path_factory.mktemp("pipeline")))


def run_pipeline(folder: Path) -> Story:
    clone, remote = copy(folder / "clone"), folder / "remote"
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote")
    git(clone, "remote", "add", "origin", str(remote))
    git(clone, "push", "--quiet", "origin", "main")
    provide_environment(clone)
    upstream = {"swagger": "2.0", "paths": {"/metadata/new": {"get": {"responses": {}}}}}
    codes: dict[str, int] = {}
    outputs: dict[str, str] = {}
    with (
        raw_server(Wire(reply(200, json.dumps(upstream), "Connection: close"))) as upstream_url,
        raw_server(Wire(reply(200, edited(newer), "Connection: close"))) as document_url,
    ):
        variables = {
            "UPSTREAM": f"{upstream_url}/imds.json",
            "SPEC": f"{document_url}/openapi.yaml",
            "UPDATE_ARGS": TESTS,
        }
        for step in find_steps(UPDATE):
            codes[step.script], outputs[step.script] = step.run(clone, variables, {"System.AccessToken": CANARY})
    assert (codes["make update"], codes["make offer"]) == (0, 0), outputs["make update"]
    _, again = find_steps(UPDATE)[-1].run(clone, {}, {"System.AccessToken": CANARY})
    [branch] = {*git(remote, "branch", "--format=%(refname:short)").split()} - {"main"}
    return Story(
        codes,
        outputs,
        again,
        git(remote, "diff", "--name-only", "main", branch).split(),
        git(remote, "log", "-1", "--format=%an%n%B", branch),
        (clone / "build" / "update.md").read_text(encoding="utf-8"),
    )


def test_the_comparison_fails_if_upstream_has_more(story: Story) -> None:
    assert story.codes["make compare"] == 2
    lines = story.outputs["make compare"].splitlines()
    assert "| GET /metadata/new | operation |      | yes       | -            |" in lines
    assert "Only in imds.json: 1 operation" in lines


def test_the_document_is_taken_and_offered(story: Story) -> None:
    assert story.outputs["make offer"].startswith("Pushed the branch openapi-")
    assert {"openapi.yaml", "generated/azure_imds_api/models/compute.py"} <= {*story.changed}
    assert [path for path in story.changed if path.startswith("changelog.d/")]
    assert [path for path in story.changed if path.startswith(("build/", ".venv/"))] == []


def test_the_branch_is_described_by_the_table_of_changes(story: Story) -> None:
    author, _, message = story.message.partition("\n")
    assert author == "azure-imds update"
    assert message.startswith("Update openapi.yaml to version 9.8.7\n\n| what")
    assert "| field | `Compute.rack` | is new " in message.replace("  ", " ").replace("  ", " ")
    assert "Suggested version: " in message
    assert story.description.rstrip() == message.rstrip()


def test_a_document_is_offered_once(story: Story) -> None:
    assert "so this document has been offered before" in story.again


def test_no_output_contains_the_token(story: Story) -> None:
    assert CANARY not in f"{story.outputs} {story.again}"
