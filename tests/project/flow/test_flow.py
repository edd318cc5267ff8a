"""A change of openapi.yaml reaches users with nothing edited by hand; what cannot be carried is refused.

The changes are files: those in `edits` are good, `refused` cannot be carried, and `wrong` expects what is not so.
Those of one batch are made in one document; with FLOW_EACH=1 in the environment each is made alone (`make flow`).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flow.batch import Workshop, findings
from flow.edit import Edit, edits, write

GOOD, REFUSED, WRONG = edits("edits"), edits("refused"), edits("wrong")


def of(some: list[Edit]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("edit", some, ids=lambda edit: edit.name)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    base = tmp_path_factory.getbasetemp()
    # Above the folders of the single test processes, where there are several.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return Workshop(shared / "flow", GOOD + WRONG, REFUSED)


@of(GOOD)
def test_pyright_sees_the_change(edit: Edit, workshop: Workshop) -> None:
    assert workshop.result(edit.group, "pyright")[edit.name] == []


@of(GOOD)
def test_mypy_sees_the_change(edit: Edit, workshop: Workshop) -> None:
    assert workshop.result(edit.group, "mypy")[edit.name] == []


@of(GOOD)
def test_programs_meet_the_change(edit: Edit, workshop: Workshop) -> None:
    assert workshop.result(edit.group, "use")[edit.name] == []


@of(REFUSED)
def test_what_cannot_be_carried_is_refused_by_its_rule_at_its_place(edit: Edit, workshop: Workshop) -> None:
    made = workshop.result(edit.group, "make")
    assert made["status"] == 1
    wanted = {(finding["rule"], finding["place"], finding["line"]) for finding in edit.refused}
    assert wanted <= {*findings(made["said"], workshop.document(edit.group))}, made["said"]


@of(REFUSED)
def test_a_refusal_leaves_what_was_generated_byte_for_byte(edit: Edit, workshop: Workshop) -> None:
    made = workshop.result(edit.group, "make")
    assert (made["status"], made["unchanged"]) == (1, True)


@of(WRONG)
@pytest.mark.parametrize("step", ["pyright", "mypy", "use"])
def test_what_is_not_as_an_edit_says_is_reported(edit: Edit, step: str, workshop: Workshop) -> None:
    told = "\n".join(workshop.result(edit.group, step)[edit.name])
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
