"""What a package index's URL means, and what the index says it has."""

from __future__ import annotations

import json

import pytest

from maintenance.index import Credentials, Index, index, released
from maintenance.problem import Problem
from support import CANARY, Wire, raw_server, reply

FILES = ["azure_imds-0.1.0.tar.gz", "azure_imds-0.1.0-py3-none-any.whl", "azure_imds-0.3.0rc1.tar.gz"]
HTML = "<!DOCTYPE html>" + "".join(f'<a href="../../files/{name}">{name}</a>' for name in FILES)
JSON = json.dumps(
    {
        "meta": {"api-version": "1.0"},
        "name": "azure-imds",
        "files": [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in FILES],
    }
)
PAGE = reply(200, HTML, "Content-Type: text/html; charset=utf-8", "Connection: close")


def gone(status: int, *headers: str) -> bytes:
    return reply(status, "no", "Content-Type: text/plain", "Connection: close", *headers)


@pytest.mark.parametrize(
    ("url", "upload", "simple"),
    [
        ("https://pypi.org/simple/", "https://upload.pypi.org/legacy/", "https://pypi.org/simple/"),
        ("https://upload.pypi.org/legacy/", "https://upload.pypi.org/legacy/", "https://pypi.org/simple/"),
        ("https://test.pypi.org/", "https://test.pypi.org/legacy/", "https://test.pypi.org/simple/"),
        ("https://index.example", "https://index.example/", "https://index.example/simple/"),
        ("https://index.example/simple", "https://index.example/", "https://index.example/simple/"),
        (
            "https://index.example/me/prod/+simple/",
            "https://index.example/me/prod/",
            "https://index.example/me/prod/+simple/",
        ),
        (
            "https://feeds.example/org/_packaging/feed/pypi/simple/",
            "https://feeds.example/org/_packaging/feed/pypi/upload/",
            "https://feeds.example/org/_packaging/feed/pypi/simple/",
        ),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/simple/"),
        ("http://[::1]:8080/", "http://[::1]:8080/", "http://[::1]:8080/simple/"),
    ],
)
def test_a_url_says_where_to_upload_and_where_to_install_from(url: str, upload: str, simple: str) -> None:
    assert index(url) == Index(upload, simple)


@pytest.mark.parametrize("url", ["", " "])
def test_an_index_must_be_named(url: str) -> None:
    with pytest.raises(Problem, match="Say make publish INDEX_URL="):
        index(url)


@pytest.mark.parametrize("url", ["index.example/simple", "ftp://index.example", "https://", "file:///index"])
def test_only_urls_of_the_web_are_indexes(url: str) -> None:
    with pytest.raises(Problem, match="no URL of a package index"):
        index(url)


def test_a_password_does_not_travel_in_the_clear() -> None:
    with pytest.raises(Problem, match="must begin with https://"):
        index("http://index.example/")


@pytest.mark.parametrize(
    "url",
    [
        f"https://me:{CANARY}@index.example/",
        f"https://{CANARY}@index.example/",
        f"https://index.example/?token={CANARY}",
        f"http://index.example/#{CANARY}",
        f"//me:{CANARY}@index.example",
    ],
)
def test_a_url_with_a_secret_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(Problem, match="TWINE_PASSWORD") as caught:
        index(url)
    assert CANARY not in str(caught.value)


def test_credentials_do_not_show() -> None:
    assert CANARY not in repr(Credentials("me", CANARY))


@pytest.mark.parametrize("page", [
    PAGE,
    reply(200, JSON, "Content-Type: application/vnd.pypi.simple.v1+json", "Connection: close"),
], ids=["html", "json"])  # fmt: skip
@pytest.mark.parametrize(("version", "there"), [("0.1.0", True), ("0.1", True), ("0.3.0rc1", True), ("0.3.0", False)])
def test_an_index_has_the_versions_of_its_files(page: bytes, version: str, there: bool) -> None:
    with raw_server(wire := Wire(page)) as url:
        assert released(f"{url}/simple/", version) is there
    assert wire.target() == "/simple/azure-imds/"


@pytest.mark.parametrize(
    "answer", [gone(404), gone(302, "Location: https://elsewhere.example/simple/azure-imds/")], ids=["404", "302"]
)
def test_an_index_that_does_not_know_the_project_has_no_version_of_it(answer: bytes) -> None:
    with raw_server(Wire(answer)) as url:
        assert not released(f"{url}/simple/", "0.1.0")


def test_a_redirect_within_the_index_is_followed() -> None:
    with raw_server(wire := Wire(gone(301, "Location: /simple/azure_imds/"), PAGE)) as url:
        assert released(f"{url}/simple/", "0.1.0")
    assert wire.target() == "/simple/azure_imds/"


def test_an_index_that_leads_in_circles_cannot_be_asked() -> None:
    with (
        raw_server(Wire(gone(302, "Location: /simple/azure-imds/"))) as url,
        pytest.raises(Problem, match="too many redirects"),
    ):
        released(f"{url}/simple/", "0.1.0")


def test_a_password_is_given_only_where_it_is_asked_for() -> None:
    with raw_server(wire := Wire(gone(401), PAGE)) as url:
        assert released(f"{url}/simple/", "0.1.0", Credentials("me", "secret"))
    assert [wire.header("authorization", at) for at in range(2)] == [None, "Basic bWU6c2VjcmV0"]


@pytest.mark.parametrize(
    "answer",
    [gone(401), gone(403), gone(500), reply(200, "{", "Content-Type: application/vnd.pypi.simple.v1+json")],
    ids=["401", "403", "500", "half an answer"],
)
def test_an_index_that_does_not_say_is_not_taken_for_an_empty_one(answer: bytes) -> None:
    with (
        raw_server(Wire(answer)) as url,
        pytest.raises(Problem, match=r"cannot be asked whether it has azure-imds 0\.1\.0") as caught,
    ):
        released(f"{url}/simple/", "0.1.0", Credentials("me", CANARY))
    assert CANARY not in str(caught.value)


def test_an_index_that_is_down_cannot_be_asked() -> None:
    with raw_server(Wire(PAGE)) as url:
        pass
    with pytest.raises(Problem, match="cannot be asked"):
        released(f"{url}/simple/", "0.1.0")
