"""The pipelines for organisations: each step is a target of the Makefile, and secrets are where they are needed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipelines_support import RELEASE, UPDATE, find_steps, load
from support import ROOT

TARGETS = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
PAGE = (ROOT / "docs" / "project" / "pipelines.md").read_text(encoding="utf-8")

#: The keys of the schema of Azure Pipelines that these files use. A key with a typing error would have no effect.
KEYS = {
    "pipeline": {"trigger", "pr", "schedules", "jobs"},
    "job": {"job", "condition", "pool", "timeoutInMinutes", "variables", "steps"},
    "step": {
        "checkout": {"fetchDepth", "fetchTags", "persistCredentials"},
        "task": {"inputs"},
        "script": {"displayName", "target", "env"},
        "publish": {"displayName", "artifact"},
    },
}


def list_steps(name: str) -> list[dict[str, Any]]:
    return [step for job in load(name)["jobs"] for step in job["steps"]]


@pytest.mark.parametrize("name", [UPDATE, RELEASE])
def test_every_step_is_a_target_of_the_makefile(name: str) -> None:
    scripts = [step.script for step in find_steps(name)]
    assert scripts
    for script in scripts:
        assert re.fullmatch(r"make [a-z-]+", script)
        assert script.removeprefix("make ") in TARGETS


@pytest.mark.parametrize("name", [UPDATE, RELEASE])
def test_every_key_is_one_of_azure_pipelines(name: str) -> None:
    pipeline = load(name)
    assert pipeline.keys() <= KEYS["pipeline"]  # type: ignore[operator]
    for job in pipeline["jobs"]:
        assert job.keys() <= KEYS["job"]  # type: ignore[operator]
        for step in job["steps"]:
            kind = next(iter(step))
            assert step.keys() - {kind} <= KEYS["step"][kind]  # type: ignore[index]


def test_the_update_runs_on_a_schedule_and_not_for_each_change() -> None:
    pipeline = load(UPDATE)
    assert (pipeline["trigger"], pipeline["pr"]) == ("none", "none")
    [schedule] = pipeline["schedules"]
    assert len(schedule["cron"].split()) == 5
    assert schedule["always"] is True


def test_the_release_runs_for_tags_of_versions_only() -> None:
    pipeline = load(RELEASE)
    assert pipeline["trigger"] == {"tags": {"include": ["v*"]}}
    assert pipeline["pr"] == "none"


def test_the_update_compares_then_updates_then_offers() -> None:
    assert [(step.job, step.script) for step in find_steps(UPDATE)] == [
        ("compare", "make compare"),
        ("update", "make update"),
        ("update", "make offer"),
    ]


def test_only_the_steps_that_need_a_secret_have_it() -> None:
    secrets = {step.script: dict(step.environment) for step in (*find_steps(UPDATE), *find_steps(RELEASE))}
    assert secrets == {
        "make compare": {},
        "make update": {},
        "make offer": {"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"},
        "make publish": {"TWINE_PASSWORD": "$(INDEX_TOKEN)"},
    }
    checkouts = [step for step in list_steps(UPDATE) if "checkout" in step]
    assert [step.get("persistCredentials", False) for step in checkouts] == [False] * len(checkouts)


def test_texts_of_a_document_cannot_command_the_agent() -> None:
    restricted = {"commands": "restricted", "settableVariables": "none"}
    assert [step["target"] for step in list_steps(UPDATE) if "script" in step] == [restricted] * 3


def test_no_script_contains_a_macro() -> None:
    """The agent would paste the value of a variable into the script, where the shell would run it."""
    assert [step.script for name in (UPDATE, RELEASE) for step in find_steps(name) if "$" in step.script] == []


@pytest.mark.parametrize("name", [UPDATE, RELEASE])
def test_the_page_names_the_file_and_every_variable_that_it_uses(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    used = {*re.findall(r"variables\['(\w+)'\]", text), *re.findall(r"\$\(([A-Z_]+)\)", text)}
    assert f"`{name}`" in PAGE
    assert [variable for variable in used if f"`{variable}`" not in PAGE] == []
