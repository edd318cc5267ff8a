"""Which error responses are hidden because they may contain a token or key, and which are not."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from azure_imds._client.redaction import contains_secret
from support import EXAMPLES, example


def nested(text: str, depth: int) -> str:
    for _ in range(depth):
        text = json.dumps({"error": text})
    return text


@pytest.mark.parametrize(
    "name", ["access_token", "accessToken", "AccessToken", "ACCESS_TOKEN", "access-token", "refreshToken"]
)
@pytest.mark.parametrize("form", ['{{"{}":"x"}}', "{}=x", "{}: x", "<{}>x</a>", "{{'{}' : 'x'}}"])
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_a_member_with_a_secret_is_found(name: str, form: str, depth: int) -> None:
    text = form.format(name)
    assert contains_secret(nested(text, depth).encode())
    for _ in range(depth):
        text = quote(text, safe="")
    assert contains_secret(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        r'{"\u0061ccess\u005Ftoken":"x"}',
        "&lt;access_token&gt;x&lt;/access_token&gt;",
        "access&#95;token=x",
        "&quot;access_token&quot;:&quot;x&quot;",
        "%61ccess%5ftoken%3Dx",
        "%2561ccess%255ftoken%253Dx",
        'a "eyJhbGciOiJub25lIn0.e30."',
        "a eyJhbGciOiJub25lIn0%2Ee30",
    ],
)
def test_an_encoded_secret_is_found(text: str) -> None:
    for charset in ("utf-8", "utf-16", "utf-32"):
        assert contains_secret(text.encode(charset))


@pytest.mark.parametrize("text", ["a key", "a%20key", r"a \u006bey".replace("a ", "a\\u0020"), "a&#32;key", '"a key"'])
def test_the_key_of_the_request_is_found(text: str) -> None:
    assert contains_secret(text.encode(), b"a key")
    assert not contains_secret(text.encode(), b"another key")


def test_a_text_that_is_encoded_too_often_is_hidden() -> None:
    text = "harmless%"
    for _ in range(20):
        text = text.replace("%", "%25")
    assert contains_secret(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"error":"invalid_token","error_description":"The access token expired"}',
        '{"error":"invalid_request","error_description":"Identity not found"}',
        "failed to refresh token, error: adal: Refresh request failed. Status Code = '400'",
        "100% of 5 requests failed & were retried \\ dropped",
        "%zz &unknown; \\u12",
        '{"error":"Bad request. api-version was not specified in the request"}',
        "eyJ is the beginning of a token.",
        "ä ö ü €",
    ],
)
def test_an_ordinary_text_is_shown(text: str) -> None:
    assert not contains_secret(text.encode())


@pytest.mark.parametrize("name", sorted(file.stem for file in EXAMPLES.glob("errors-*.json")))
def test_the_errors_of_real_hosts_are_shown(name: str) -> None:
    assert not contains_secret(json.dumps(example(name)).encode())
