"""A change of openapi.yaml reaches users without any manual edit. Changes that the generator cannot handle are refused.

The changes are files: valid ones in `edits`, invalid ones in `refused`, ones with false expectations in `wrong`.
All changes of a batch are made in one document. With FLOW_EACH=1 in the environment each is made alone (`make flow`).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flow.batch import EVERY_OPERATION, Runner, findings
from flow.edit import Edit, edits, write

GOOD, REFUSED, WRONG = edits("edits"), edits("refused"), edits("wrong")

#: The type checkers. They take long, so their tests are integration tests.
TYPES = ("pyright", "mypy")


def of(some: list[Edit]) -> pytest.MarkDecorator:
    """Runs a test for each edit. Skips edits of an operation or component that openapi.yaml does not have any more."""
    return pytest.mark.parametrize(
        "edit",
        [
            pytest.param(
                edit,
                id=edit.name,
                marks=[pytest.mark.skip(f"openapi.yaml has no {' and no '.join(lost)}")] if lost else [],
            )
            for edit in some
            for lost in [edit.missing()]
        ],
    )


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    base = tmp_path_factory.getbasetemp()
    # With several test processes, the folder above their own.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    good, refused = ([edit for edit in some if not edit.missing()] for some in (GOOD + WRONG, REFUSED))
    return Runner(shared / "flow", good, refused)


@pytest.mark.integration
@of(GOOD)
def test_pyright_sees_the_change(edit: Edit, runner: Runner) -> None:
    assert runner.result(edit.group, "pyright")[edit.name] == []


@pytest.mark.integration
@of(GOOD)
def test_mypy_sees_the_change(edit: Edit, runner: Runner) -> None:
    assert runner.result(edit.group, "mypy")[edit.name] == []


@pytest.mark.integration
@pytest.mark.parametrize("step", TYPES)
@pytest.mark.parametrize("group", dict.fromkeys(edit.group for edit in GOOD))
def test_every_operation_is_typed_as_the_document_says(group: str, step: str, runner: Runner) -> None:
    assert runner.result(group, step)[EVERY_OPERATION] == []


@of(GOOD)
def test_programs_see_the_change(edit: Edit, runner: Runner) -> None:
    assert runner.result(edit.group, "use")[edit.name] == []


@of(REFUSED)
def test_an_unsupported_change_is_refused_by_its_rule_at_its_place(edit: Edit, runner: Runner) -> None:
    made = runner.result(edit.group, "make")
    assert made["status"] == 1
    wanted = {(finding["rule"], finding["place"], finding["line"]) for finding in edit.refused}
    assert wanted <= {*findings(made["said"], runner.document(edit.group))}, made["said"]


@of(REFUSED)
def test_a_refusal_leaves_what_was_generated_byte_for_byte(edit: Edit, runner: Runner) -> None:
    made = runner.result(edit.group, "make")
    assert (made["status"], made["unchanged"]) == (1, True)


@of(WRONG)
@pytest.mark.parametrize("step", [*(pytest.param(name, marks=pytest.mark.integration) for name in TYPES), "use"])
def test_a_false_expectation_is_reported(edit: Edit, step: str, runner: Runner) -> None:
    told = "\n".join(runner.result(edit.group, step)[edit.name])
    assert [text for text in edit.reported[step] if text not in told] == [], told


@pytest.mark.parametrize("place", ["paths /nowhere get summary", "paths /instance get parameters nobody name"])
def test_a_place_that_is_not_there_is_reported(place: str, tmp_path: Path) -> None:
    lost = Edit("lost", "A change of nothing.", [{"at": place, "put": "x"}])
    with pytest.raises(AssertionError, match=f"lost: {place} is not in openapi.yaml"):
        write([lost], tmp_path / "openapi.yaml")


@of([*GOOD, *REFUSED, *WRONG])
def test_an_edit_expects_something(edit: Edit) -> None:
    assert edit.about.endswith(".")
    assert edit.change
    assert edit.refused or (edit.types and edit.checks)
