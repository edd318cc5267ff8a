"""What a document lacks reads as empty, `in` tells it apart, and `to_dict()` returns what was received or set."""

from __future__ import annotations

import copy
import json
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from azure_imds_api import documents
from azure_imds_api.documents import DocumentModel
from azure_imds_api.models import Compute, Instance, Network, OsDisk, Plan, StorageProfile, Tag
from support import ROOT, example

CASES = ROOT / "tests" / "data" / "cases"
DOCUMENTS = {
    "empty": {},
    "classic": {"network": {"interface": [{"macAddress": "A"}]}},
    "null": {"compute": None, "network": {"interface": None}},
    "odd": {"compute": {"plan": "x", "tagsList": [None], "name": "vm-1"}},
    "unknown": {"compute": {"new": [], "zone": ""}, "other": None},
    **{path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(CASES.glob("instance-*.json"))},
    **{name: example(name) for name in ("instance", "instance-2018-10-01", "instance-2025-04-07", "instance-extended")},
}

every_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)


def read_all(model: DocumentModel, depth: int = 5) -> Iterator[Any]:
    """Reads every member, at any depth."""
    for attribute in model._MEMBERS:
        value = getattr(model, attribute)
        yield value
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, DocumentModel) and depth:
                yield from read_all(item, depth - 1)


def instance(**compute: Any) -> Instance:
    return Instance.from_dict({"compute": compute})


def test_every_path_can_be_read_without_checks() -> None:
    found = Instance.from_dict({})
    assert found.compute.name == ""
    assert found.compute.os_type == ""
    assert found.compute.storage_profile.os_disk.managed_disk.id == ""
    assert found.compute.tags_list == []
    assert [interface.mac_address for interface in found.network.interface] == []
    assert found.compute.plan == Plan()
    assert found.extended.compute.has_custom_data is None


def test_empty_text_is_a_plain_str() -> None:
    assert type(Instance.from_dict({}).compute.name) is str
    assert type(Instance.from_dict({}).compute.tags_list) is list


@every_document
def test_reading_changes_nothing(document: dict[str, Any]) -> None:
    found = Instance.from_dict(document)
    assert len(list(read_all(found))) > 100
    assert found.to_dict() == document
    assert found == Instance.from_dict(document)
    assert repr(found) == repr(Instance.from_dict(document))


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("instance-*.json")))
def test_every_member_seen_in_the_field_is_an_attribute(name: str) -> None:
    found = Instance.from_dict(DOCUMENTS[name])
    models = [found, *(value for value in read_all(found) if isinstance(value, DocumentModel))]
    assert [model.additional_properties for model in models if model.additional_properties] == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, False),
        ({"plan": None}, False),
        ({"plan": "of another shape"}, False),
        ({"plan": {}}, False),
        ({"plan": {"name": ""}}, True),
        ({"plan": {"name": None}}, True),
        ({"plan": {"unknown": 1}}, True),
    ],
    ids=str,
)
def test_an_object_is_true_if_it_has_members(document: dict[str, Any], expected: bool) -> None:
    assert bool(Compute.from_dict(document).plan) is expected


def test_in_tells_absent_from_empty() -> None:
    compute = Compute.from_dict({"zone": "", "vmSize": "a", "sku": None, "plan": "odd", "tagsList": [], "new": 1})
    for name in ("zone", "vmSize", "vm_size", "sku", "plan", "tagsList", "tags_list", "new"):
        assert name in compute
    for name in ("location", "publicKeys", "public_keys", "osProfile", "newer", "to_dict", "_MEMBERS"):
        assert name not in compute


def test_an_empty_value_that_is_set_is_given_back() -> None:
    compute = Compute.from_dict({"sku": None})
    compute.name, compute.tags_list, compute.plan, compute.sku = "", [], Plan(), ""
    assert compute.to_dict() == {"name": "", "tagsList": [], "plan": {}, "sku": ""}


def test_an_absent_list_that_is_changed_becomes_a_member() -> None:
    first, second = Compute.from_dict({}), Compute.from_dict({})
    first.tags_list.append(Tag(name="a"))
    assert first.tags_list == [Tag(name="a")]
    assert first.to_dict() == {"tagsList": [{"name": "a"}]}
    assert "tagsList" in first
    assert second.tags_list == []
    assert second.to_dict() == {}


def test_an_absent_object_that_is_changed_becomes_a_member() -> None:
    found = Instance.from_dict({})
    found.compute.storage_profile.os_disk.name = "os"
    assert found.to_dict() == {"compute": {"storageProfile": {"osDisk": {"name": "os"}}}}
    assert Instance.from_dict({}).compute.storage_profile.os_disk.name == ""


def test_a_change_replaces_a_value_of_another_shape() -> None:
    compute = Compute.from_dict({"plan": "x", "tagsList": None})
    compute.plan.name = "p"
    compute.tags_list.append(Tag(name="a"))
    assert compute.to_dict() == {"plan": {"name": "p"}, "tagsList": [{"name": "a"}]}


def test_a_list_that_is_set_replaces_the_one_that_was_read() -> None:
    compute = Compute.from_dict({})
    read = compute.tags_list
    compute.tags_list = [Tag(name="b")]
    read.append(Tag(name="a"))
    assert compute.to_dict() == {"tagsList": [{"name": "b"}]}


def test_a_deleted_member_is_absent() -> None:
    compute = Compute.from_dict({"name": "vm-1", "zone": "1"})
    del compute.name
    assert (compute.name, compute.to_dict()) == ("", {"zone": "1"})


def test_a_model_that_was_not_read_has_what_was_set() -> None:
    compute: Any = Compute(name="", zone=None, tags_list=[], plan=None)  # type: ignore[arg-type]
    assert compute.to_dict() == {"name": "", "tagsList": []}
    assert (compute.zone, compute.plan, compute.location) == ("", Plan(), "")


def test_a_constructor_takes_arguments_by_position() -> None:
    assert Tag("a", "b", {"new": 1}).to_dict() == {"name": "a", "value": "b", "new": 1}


def test_two_models_are_equal_if_they_read_the_same() -> None:
    assert instance() == Instance() == Instance.from_dict({"compute": {"name": "", "plan": {"name": None}}})
    assert instance(name="a") == instance(name="a", tagsList=[], plan="odd")
    assert instance(name="a") != instance(name="b")
    assert instance(tagsList=[{}]) != instance()
    assert instance(platformFaultDomain=0) != instance()
    assert instance(new="") != instance()
    assert Compute(name="a") != Plan(name="a")
    assert Compute() != {}


def test_models_cannot_be_hashed_since_they_can_change() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Compute())


def test_the_repr_shows_what_there_is() -> None:
    found = instance(name="a", zone="", storageProfile={"osDisk": {}}, new=1, sku=None)
    expected = "Compute(name='a', storage_profile=StorageProfile(os_disk=OsDisk()), zone='', "
    assert repr(found) == f"Instance(compute={expected}additional_properties={{'new': 1}}))"
    names = {model.__name__: model for model in (Instance, Compute, StorageProfile, OsDisk)}
    assert eval(repr(found), names) == found


@every_document
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda found: pickle.loads(pickle.dumps(found))])
def test_copies_have_what_the_original_has(way: Any, document: dict[str, Any]) -> None:
    for found in (Instance.from_dict(document), Instance()):
        list(read_all(found))
        twin = way(found)
        assert type(twin) is Instance
        assert twin == found
        assert twin.to_dict() == found.to_dict()
        twin.extended.compute.pps_type = "None"
        twin["new"] = 1
        assert "extended" in twin


def test_what_a_copy_reads_is_its_own() -> None:
    found = Compute.from_dict({})
    assert found.public_keys == []
    twin = copy.copy(found)
    twin.tags_list.append(Tag(name="a"))
    assert found.to_dict() == {}
    assert twin.to_dict() == {"tagsList": [{"name": "a"}]}


def test_a_changed_list_is_pickled() -> None:
    found = Compute.from_dict({})
    found.tags_list.append(Tag(name="a"))
    assert pickle.loads(pickle.dumps(found)).to_dict() == {"tagsList": [{"name": "a"}]}


def test_threads_read_the_same_empty_list() -> None:
    for _ in range(20):
        found = Instance.from_dict({})
        start = threading.Barrier(8)

        def add(found: Instance = found, start: threading.Barrier = start) -> None:
            start.wait()
            found.compute.tags_list.append(Tag(name="a"))

        threads = [threading.Thread(target=add) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found.compute.tags_list) == 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it has threads: of the tests' runner
def test_a_fork_while_an_absent_list_is_read_harms_nothing() -> None:
    with documents._lock:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(20)
            os._exit(len(Compute.from_dict({}).tags_list))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_other_names_are_errors() -> None:
    compute: Any = Compute.from_dict({"new": 1})
    with pytest.raises(AttributeError, match=r"^'Compute' object has no attribute 'vmsize'"):
        _ = compute.vmsize
    with pytest.raises(AttributeError):
        compute.vmsize = "a"
    assert not hasattr(compute, "new")
    assert not hasattr(compute, "__fspath__")
    assert compute["new"] == 1


def test_a_subclass_reads_the_same() -> None:
    class Machine(Instance):
        note = "mine"

    machine: Any = Machine.from_dict({"network": None})
    machine.extra = 1
    twin = pickle.loads(pickle.dumps(copy.copy(machine.network)))
    assert (machine.compute.name, machine.note, twin) == ("", "mine", Network())
    assert copy.deepcopy(machine).extra == 1
    assert copy.copy(machine).to_dict() == {"network": None}
