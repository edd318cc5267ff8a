"""One odd member of a document hides nothing else, and `to_dict()` returns exactly what came."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from typing import Any

import pytest

from azure_imds import ImdsResponseError, tags
from azure_imds_api import lenient_reader, models
from azure_imds_api.lenient_reader import UnreadableMemberError
from azure_imds_api.members import MEMBERS, Member
from azure_imds_api.models import Instance, LoadBalancerResponse, ScheduledEvents, Tag
from support import CANARY, ROOT, Colour, Script, answer, example, token

CASES = ROOT / "tests" / "data" / "cases"

EVENT = {"EventId": "1", "EventType": "Reboot", "EventStatus": "Scheduled", "Resources": ["vm-1"]}


def case(name: str) -> Any:
    return json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))


def read(model: str, document: Any) -> Any:
    return getattr(models, model).from_dict(document)


def smallest(model: str) -> dict[str, Any]:
    """A document with the required members of a model only."""
    return {name: right_value(member) for name, member in MEMBERS[model].items() if member.is_required}


def right_value(member: Member) -> Any:
    value: Any = smallest(member.model) if member.model else "text"
    return [value] if member.is_list else value


def wrong_values(member: Member) -> list[Any]:
    """Values of another shape than the specification states."""
    if member.is_list:
        return ["", "text", 0, 7, False, True, {}, {"a": 1}] + ([[None], ["text"], [[]]] if member.model else [])
    return ["", "text", 0, 7, False, True, [], [["a", 1]], [{}]]


def is_single_value(model: str, member: Member) -> bool:
    """Whether the annotation of a member has neither a list nor an object."""
    annotation = str(getattr(models, model).__annotations__[member.attribute])
    return not member.model and not member.is_list and "dict" not in annotation and "Any" not in annotation


def absent(model: str, member: Member) -> Any:
    """What a missing member reads as."""
    return getattr(getattr(models, model).from_dict(smallest(model)), member.attribute)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("name", ["instance-arc-null", "instance-newest", "instance-odd", "instance-standby"])
def test_documents_of_hosts_are_returned_as_they_came(name: str) -> None:
    assert Instance.from_dict(case(name)).to_dict() == case(name)


def test_an_odd_document(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "azure_imds"):
        instance = Instance.from_dict(case("instance-odd"))
    compute = instance.compute
    assert (compute.name, compute.plan, compute.tags_list) == ("vm-1", models.Plan(), [])
    assert (compute.platform_fault_domain, compute.is_host_compatibility_layer_vm) == (0, False)
    assert compute.additional_properties == {}
    assert tags(instance) == {}
    assert lines(caplog) == [
        "compute/plan has an unexpected shape, so it reads as absent",
        "compute/tagsList/0 has an unexpected shape, so compute/tagsList reads as absent",
    ]


@pytest.mark.parametrize("model", sorted(MEMBERS))
def test_an_optional_member_of_another_shape_reads_as_absent(model: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "azure_imds")
    for name, member in MEMBERS[model].items():
        for value in wrong_values(member) if not member.is_required and (member.model or member.is_list) else ():
            caplog.clear()
            document = {**smallest(model), "unknown": 1, name: value}
            found = read(model, document)
            assert getattr(found, member.attribute) == absent(model, member)
            assert found.to_dict() == document
            assert name in found.to_dict()
            assert found.additional_properties == {"unknown": 1}
            assert len(lines(caplog)) == 1
            assert lines(caplog)[0].startswith((f"{name} ", f"{name}/0 "))


@pytest.mark.parametrize("model", sorted(MEMBERS))
@pytest.mark.parametrize("value", [{}, {"a": 1}, [], ["a"], ()], ids=repr)
def test_a_list_or_object_in_place_of_a_single_value_reads_as_absent(
    model: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "azure_imds")
    singles = {name: member for name, member in MEMBERS[model].items() if is_single_value(model, member)}
    optional = {name: member for name, member in singles.items() if not member.is_required}
    document = {**smallest(model), **dict.fromkeys(optional, value)}
    found = read(model, document)
    for member in optional.values():
        assert getattr(found, member.attribute) == absent(model, member)
    assert found.to_dict() == document
    assert lines(caplog) == [f"{name} has an unexpected shape, so it reads as absent" for name in optional]
    for name in singles.keys() - optional.keys():
        with pytest.raises(UnreadableMemberError, match=f"^{name} has an unexpected shape$"):
            read(model, {**smallest(model), name: value})


@pytest.mark.parametrize("value", [0, 7, 1.5, True, False], ids=repr)
def test_another_single_value_is_read_as_it_came(value: Any) -> None:
    compute = models.Compute.from_dict({"name": value, "vmSize": "a"})
    assert (compute.name, compute.to_dict()) == (value, {"name": value, "vmSize": "a"})


def test_a_list_of_texts_with_an_object_in_it_is_odd() -> None:
    with pytest.raises(UnreadableMemberError, match=r"^Resources has an unexpected shape$"):
        models.ScheduledEvent.from_dict({**EVENT, "Resources": ["vm-1", {"name": "vm-2"}]})


@pytest.mark.parametrize("model", sorted(MEMBERS))
def test_null_reads_as_absent_and_is_returned_as_null(model: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "azure_imds")
    optional = {name: member for name, member in MEMBERS[model].items() if not member.is_required}
    document = {**smallest(model), **dict.fromkeys(optional), "unknown": None}
    found = read(model, document)
    for member in optional.values():
        assert getattr(found, member.attribute) == absent(model, member)
    assert found.to_dict() == document
    assert lines(caplog) == []


@pytest.mark.parametrize("model", sorted(MEMBERS))
def test_a_required_member_fails_with_its_path(model: str) -> None:
    for name, member in MEMBERS[model].items():
        if member.is_required:
            missing = smallest(model)
            del missing[name]
            with pytest.raises(UnreadableMemberError, match=f"^{name} is missing$"):
                read(model, missing)
            for value in [None, *wrong_values(member)] if member.model or member.is_list else ():
                with pytest.raises(UnreadableMemberError, match=rf"^{name}(/0)? is not (a list|an object)$"):
                    read(model, {**smallest(model), name: value})


@pytest.mark.parametrize("document", [None, "", "text", 7, [], [["compute", {}]]])
def test_a_document_that_is_no_object_is_an_error(document: Any) -> None:
    with pytest.raises(UnreadableMemberError, match=r"^the document is not an object$"):
        Instance.from_dict(document)


def test_the_path_of_a_required_member_names_its_place_in_a_list() -> None:
    events = [EVENT, {**EVENT, "Resources": None}]
    with pytest.raises(UnreadableMemberError, match=r"^Events/1/Resources is not a list$"):
        ScheduledEvents.from_dict({"DocumentIncarnation": 1, "Events": events})


def test_odd_members_at_any_depth_leave_the_others(caplog: pytest.LogCaptureFixture) -> None:
    document = {
        "compute": {
            "name": "vm-1",
            "storageProfile": {
                "osDisk": {"name": "os", "image": 5, "vhd": None},
                "dataDisks": [{"lun": "0"}, {"vhd": []}],
            },
        },
        "network": {"interface": [{"macAddress": "A"}, {"macAddress": "B", "ipv4": {"subnet": {}, "ipAddress": []}}]},
        "extended": "x",
    }
    with caplog.at_level(logging.DEBUG, "azure_imds"):
        instance: Any = Instance.from_dict(document)
    assert instance.compute.storage_profile.os_disk.name == "os"
    assert instance.compute.storage_profile.data_disks[0].lun == "0"
    assert [interface.mac_address for interface in instance.network.interface] == ["A", "B"]
    assert instance.network.interface[1].ipv4.ip_address == []
    assert {line.partition(" ")[0] for line in lines(caplog)} == {
        "compute/storageProfile/osDisk/image",
        "compute/storageProfile/dataDisks/1/vhd",
        "network/interface/1/ipv4/subnet",
        "extended",
    }
    for one in (instance, copy.copy(instance), copy.deepcopy(instance), pickle.loads(pickle.dumps(instance))):
        assert one == instance
        assert one.to_dict() == document


def test_a_member_that_is_left_out_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "azure_imds"):
        Instance.from_dict({"network": {"interface": [{"ipv4": "x"}, "y"]}})
    assert lines(caplog) == ["network/interface/1 has an unexpected shape, so network/interface reads as absent"]


def test_a_value_that_a_program_sets_replaces_the_one_that_came() -> None:
    instance: Any = Instance.from_dict({"compute": {"tagsList": "x", "plan": None, "name": "vm-1", "zone": None}})
    instance.compute.tags_list = [Tag(name="a", value="b")]
    instance.compute.name = None
    instance.compute.zone = "1"
    instance.compute["new"] = None
    tags_list = [{"name": "a", "value": "b"}]
    assert instance.to_dict() == {"compute": {"tagsList": tags_list, "plan": None, "zone": "1", "new": None}}


def test_an_unknown_null_can_be_deleted() -> None:
    compute = models.Compute.from_dict({"unknown": None, "zone": None})
    del compute["unknown"]
    assert compute.to_dict() == {"zone": None}


def test_a_model_that_was_not_read_has_only_what_was_set() -> None:
    assert Instance(compute=models.Compute(name="vm-1")).to_dict() == {"compute": {"name": "vm-1"}}


def test_a_subclass_reads_odd_documents_as_well() -> None:
    class Machine(Instance):
        pass

    machine = Machine.from_dict({"compute": "x", "network": None})
    assert type(machine) is Machine
    assert machine.to_dict() == {"compute": "x", "network": None}


def test_a_usual_document_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lenient_reader, "read_leniently", None)
    monkeypatch.setattr(lenient_reader, "add_unread", None)
    assert Instance.from_dict(example("instance-2025-04-07")).to_dict() == example("instance-2025-04-07")


def test_the_debug_line_quotes_nothing_of_the_document(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        Instance.from_dict({"compute": {"plan": CANARY, CANARY: {}}, CANARY: []})
    assert lines(caplog)
    assert CANARY not in caplog.text


def test_the_client_reads_an_odd_document(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "azure_imds"):
        instance = colour.run(
            lambda imds: imds.instances.get_metadata(), transport=Script(answer(200, case("instance-odd")))
        )
    assert instance.to_dict() == case("instance-odd")
    assert "compute/plan has an unexpected shape, so it reads as absent" in lines(caplog)


def test_the_client_reads_odd_rules_of_a_load_balancer(colour: Colour) -> None:
    document = {"loadbalancer": {"inboundRules": [None], "outboundRules": "", "publicIpAddresses": []}}
    found = colour.run(lambda imds: imds.load_balancer.get_metadata(), transport=Script(answer(200, document)))
    assert isinstance(found, LoadBalancerResponse)
    assert found.loadbalancer.inbound_rules == []
    assert found.to_dict() == document


def test_the_client_names_the_required_member_that_cannot_be_read(colour: Colour) -> None:
    document = {"DocumentIncarnation": 1, "Events": [EVENT, {**EVENT, "Resources": "vm-1"}]}
    error = colour.error(lambda imds: imds.scheduled_events.get_events(), transport=Script(answer(200, document)))
    assert isinstance(error, ImdsResponseError)
    assert "Events[1].Resources" in str(error)


def test_a_token_with_odd_optional_members_is_a_token(colour: Colour) -> None:
    body = token(client_id=None, resource=None, unknown={"a": [None]})
    found = colour.run(
        lambda imds: imds.identity.get_token(resource="https://vault.azure.net"), transport=Script(answer(200, body))
    )
    assert found.to_dict() == body
    assert CANARY not in repr(found)
