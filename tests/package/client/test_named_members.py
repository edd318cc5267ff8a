"""Models are read and changed by the names of members in documents: `in`, `[]`, `del` and iteration agree."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from typing import Any

import pytest

from azure_imds_api import models
from azure_imds_api.members import MEMBERS
from azure_imds_api.models import Compute, Instance, Plan, ScheduledEvent, Tag
from azure_imds_api.types import Model
from support import ROOT, example

CASES = ROOT / "tests" / "data" / "cases"
EVENT = {"EventId": "1", "EventType": "Reboot", "EventStatus": "Scheduled", "Resources": ["vm-1"]}
DOCUMENTS: dict[str, tuple[type[Model], dict[str, Any]]] = {
    **{path.stem: (Instance, json.loads(path.read_text(encoding="utf-8"))) for path in CASES.glob("instance-*.json")},
    "instance": (Instance, example("instance")),
    "events": (models.ScheduledEvents, example("scheduledevents-all-types")),
    "versions": (models.VersionsResponse, {**example("versions"), "new": [1]}),
    "balancer": (models.LoadBalancerResponse, example("loadbalancer")),
}

every_document = pytest.mark.parametrize(("model", "document"), DOCUMENTS.values(), ids=DOCUMENTS)


def test_a_declared_member_is_read_by_both_of_its_names() -> None:
    compute = Compute.from_dict({"name": "vm-1", "vmSize": "a", "tagsList": [{"name": "t"}]})
    assert (compute["name"], compute["vmSize"], compute["vm_size"]) == ("vm-1", "a", "a")
    assert compute["tagsList"] is compute.tags_list


def test_a_member_that_a_document_lacks_is_a_key_error() -> None:
    compute = Compute.from_dict({})
    for name in ("zone", "vmSize", "vm_size", "plan", "new", "to_dict"):
        assert name not in compute
        with pytest.raises(KeyError, match=f"^'{name}'$"):
            _ = compute[name]
        with pytest.raises(KeyError, match=f"^'{name}'$"):
            del compute[name]
    other: Any = compute
    assert 0 not in other
    with pytest.raises(KeyError):
        _ = other[0]


@every_document
def test_iteration_in_and_reading_agree(model: type[Model], document: dict[str, Any]) -> None:
    found = model.from_dict(document)
    assert sorted(found) == sorted(document)
    members = MEMBERS[model.__name__]
    for name in found:
        assert name in found
        expected = getattr(found, members[name].attribute) if name in members else document[name]
        assert found[name] == expected
    assert found.to_dict() == document
    assert sorted(found.additional_keys) == sorted(document.keys() - members.keys())


def test_null_and_odd_members_read_as_their_attributes_do() -> None:
    compute = Compute.from_dict({"zone": None, "plan": "odd", "tagsList": {}})
    assert [*compute] == ["zone", "plan", "tagsList"]
    assert (compute["zone"], compute["plan"], compute["tagsList"]) == ("", Plan(), [])


def test_models_whose_members_are_none_read_the_same_way() -> None:
    event = ScheduledEvent.from_dict({**EVENT, "Description": None, "New": 1})
    assert (event["EventId"], event["event_id"], event["Description"], event["New"]) == ("1", "1", None, 1)
    assert "NotBefore" not in event
    assert "EventId" in event
    assert sorted(event) == sorted([*EVENT, "Description", "New"])
    event["Description"] = "text"
    assert event.description == "text"
    del event["Description"]
    assert (event.description, event.to_dict()) == (None, {**EVENT, "New": 1})
    with pytest.raises(TypeError, match=r"^EventId is required$"):
        del event["EventId"]
    assert event.event_id == "1"


def test_a_declared_member_is_set_by_both_of_its_names() -> None:
    compute = Compute.from_dict({"vmSize": "a"})
    compute["vmSize"], compute["os_type"], compute["new"] = "b", "Linux", 1
    compute["plan"] = Plan(name="p")
    assert (compute.vm_size, compute.os_type, compute.plan.name) == ("b", "Linux", "p")
    assert compute.to_dict() == {"new": 1, "osType": "Linux", "plan": {"name": "p"}, "vmSize": "b"}
    assert compute.additional_properties == {"new": 1}


@pytest.mark.parametrize("value", ["text", "", None, {}, [], {"name": "p"}, [{"name": "p"}]], ids=repr)
@pytest.mark.parametrize("name", ["zone", "plan", "tagsList", "new"])
def test_a_deleted_member_is_absent_whatever_it_was(name: str, value: Any) -> None:
    compute = Compute.from_dict({name: value, "vmSize": "a"})
    other = copy.deepcopy(compute)
    del compute[name]
    assert name not in compute
    assert compute.to_dict() == {"vmSize": "a"}
    assert pickle.loads(pickle.dumps(compute)).to_dict() == {"vmSize": "a"}
    assert other.to_dict() == {name: value, "vmSize": "a"}


def test_a_list_that_was_absent_and_changed_can_be_deleted() -> None:
    compute = Compute.from_dict({})
    compute.tags_list.append(Tag(name="a"))
    del compute["tagsList"]
    assert (compute.to_dict(), compute.tags_list) == ({}, [])


def test_an_unknown_member_with_the_name_of_an_attribute_is_read_as_it_came() -> None:
    compute = Compute.from_dict({"vm_size": 1, "vmSize": "a"})
    assert (compute["vm_size"], compute["vmSize"], compute.vm_size) == (1, "a", "a")
    assert sorted(compute) == ["vmSize", "vm_size"]


def test_a_changed_copy_keeps_what_was_absent() -> None:
    compute = Compute.from_dict({"name": "vm-1", "zone": None, "plan": "odd"})
    list(compute.tags_list)
    for change in (Compute.__replace__, *([vars(copy)["replace"]] if sys.version_info >= (3, 13) else ())):
        twin: Compute = change(compute, zone="1", vm_size="a")
        assert type(twin) is Compute
        assert twin.to_dict() == {"name": "vm-1", "zone": "1", "plan": "odd", "vmSize": "a"}
        with pytest.raises(TypeError, match=r"^'Compute' has no member 'vmsize'$"):
            change(compute, vmsize="a")
    assert compute.to_dict() == {"name": "vm-1", "zone": None, "plan": "odd"}
