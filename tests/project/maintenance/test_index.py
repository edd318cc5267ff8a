"""The addresses that follow from the URL of a package index, and the versions that an index has."""

from __future__ import annotations

import json

import pytest

from maintenance.problem import Problem
from maintenance.release.index import Credentials, Index, has_release, parse_index_url
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


def refuse(status: int, *headers: str) -> bytes:
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
def test_a_url_gives_the_upload_address_and_the_simple_api(url: str, upload: str, simple: str) -> None:
    assert parse_index_url(url) == Index(upload, simple)


@pytest.mark.parametrize("url", ["", " "])
def test_a_missing_url_is_refused(url: str) -> None:
    with pytest.raises(Problem, match=r"^INDEX_URL is missing: run make publish INDEX_URL="):
        parse_index_url(url)


@pytest.mark.parametrize("url", ["index.example/simple", "ftp://index.example", "https://", "file:///index"])
def test_a_url_with_another_scheme_is_refused(url: str) -> None:
    with pytest.raises(Problem, match=r"^INDEX_URL must be an http or https URL, but is "):
        parse_index_url(url)


def test_a_password_is_not_sent_unencrypted() -> None:
    with pytest.raises(Problem, match=r"^INDEX_URL must start with https://"):
        parse_index_url("http://index.example/")


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
        parse_index_url(url)
    assert CANARY not in str(caught.value)


def test_the_repr_of_credentials_hides_the_password() -> None:
    assert CANARY not in repr(Credentials("me", CANARY))


@pytest.mark.parametrize("page", [
    PAGE,
    reply(200, JSON, "Content-Type: application/vnd.pypi.simple.v1+json", "Connection: close"),
], ids=["html", "json"])  # fmt: skip
@pytest.mark.parametrize(("version", "found"), [("0.1.0", True), ("0.1", True), ("0.3.0rc1", True), ("0.3.0", False)])
def test_an_index_has_the_versions_of_its_files(page: bytes, version: str, found: bool) -> None:
    with raw_server(wire := Wire(page)) as url:
        assert has_release(f"{url}/simple/", version) is found
    assert wire.target() == "/simple/azure-imds/"


@pytest.mark.parametrize(
    "answer", [refuse(404), refuse(302, "Location: https://elsewhere.example/simple/azure-imds/")], ids=["404", "302"]
)
def test_an_index_without_the_project_has_no_version_of_it(answer: bytes) -> None:
    with raw_server(Wire(answer)) as url:
        assert not has_release(f"{url}/simple/", "0.1.0")


def test_a_redirect_within_the_index_is_followed() -> None:
    with raw_server(wire := Wire(refuse(301, "Location: /simple/azure_imds/"), PAGE)) as url:
        assert has_release(f"{url}/simple/", "0.1.0")
    assert wire.target() == "/simple/azure_imds/"


def test_a_redirect_loop_is_an_error() -> None:
    with (
        raw_server(Wire(refuse(302, "Location: /simple/azure-imds/"))) as url,
        pytest.raises(Problem, match="too many redirects"),
    ):
        has_release(f"{url}/simple/", "0.1.0")


def test_the_password_is_sent_only_if_the_index_requires_it() -> None:
    with raw_server(wire := Wire(refuse(401), PAGE)) as url:
        assert has_release(f"{url}/simple/", "0.1.0", Credentials("me", "secret"))
    assert [wire.header("authorization", at) for at in range(2)] == [None, "Basic bWU6c2VjcmV0"]


@pytest.mark.parametrize(
    "answer",
    [refuse(401), refuse(403), refuse(500), reply(200, "{", "Content-Type: application/vnd.pypi.simple.v1+json")],
    ids=["401", "403", "500", "truncated JSON"],
)
def test_an_error_of_the_index_does_not_count_as_an_empty_index(answer: bytes) -> None:
    with (
        raw_server(Wire(answer)) as url,
        pytest.raises(Problem, match=r"^cannot find out whether http://\S+/simple/ has azure-imds 0\.1\.0: ") as caught,
    ):
        has_release(f"{url}/simple/", "0.1.0", Credentials("me", CANARY))
    assert CANARY not in str(caught.value)


def test_an_index_that_is_down_is_an_error() -> None:
    with raw_server(Wire(PAGE)) as url:
        pass
    with pytest.raises(Problem, match=r"^cannot find out whether "):
        has_release(f"{url}/simple/", "0.1.0")
