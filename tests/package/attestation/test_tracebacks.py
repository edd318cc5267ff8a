"""No traceback contains the document or a downloaded body, whatever is raised and wherever."""

from __future__ import annotations

import inspect
import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any

import anyio
import httpx
import pytest
from cryptography import x509

from attestation_support import NONCE, VM_ID, Issued, authority, document, intermediate, leaf, name, root, trust
from azure_imds import ImdsError
from azure_imds._client import answer
from azure_imds.attestation import (
    AttestationError,
    _certificates,
    _chain,
    _cms,
    _constraints,
    _document,
    _intermediates,
    _names,
    _refusal,
    afetch_intermediates,
    fetch_intermediates,
    verify,
)
from injection import code_of, executed, injected, shown
from support import CANARY, COLOURS, Colour, list_errors

pytestmark = pytest.mark.integration  # thousands of exceptions, each with all that its traceback reaches

ADDRESS = "http://www.microsoft.com/pkiops/certs/Test%20Issuing%20CA.crt"

#: The frames of these functions stay in tracebacks.
BOUNDARIES = {verify, fetch_intermediates, afetch_intermediates}
MODULES = [_document, _cms, _certificates, _names, _chain, _constraints, _intermediates, _refusal]
EXCEPTIONS: list[type[BaseException]] = [KeyboardInterrupt, RuntimeError]

Action = Callable[[], object]


def functions(module: ModuleType) -> Iterator[Any]:
    """The functions and methods that a module defines, except boundaries."""
    members = [member for member in vars(module).values() if getattr(member, "__module__", "") == module.__name__]
    for kind in [member for member in members if isinstance(member, type)]:
        members += [getattr(member, "fget", member) for member in vars(kind).values()]
    for member in map(inspect.unwrap, members):
        # attrs generates methods, which have no file.
        if isinstance(member, FunctionType) and member.__code__.co_filename == module.__file__:
            yield from {member} - BOUNDARIES


def executed_functions(action: Action, *modules: ModuleType) -> list[Any]:
    """The functions of some modules that an action calls."""
    every = [function for module in modules for function in functions(module)]
    codes = {code for code, _ in executed(action, code_of(*every))}
    return [function for function in every if function.__code__ in codes]


GIVEN = document(by=leaf(intermediate(), addresses=[ADDRESS]))
FOREIGN = document(by=leaf(authority("Unrelated CA"), addresses=[ADDRESS]))
SECRETS = {"base64": GIVEN["signature"][100:200], "DER": VM_ID, "foreign base64": FOREIGN["signature"][100:200]}


def verifying(given: Any, **arguments: Any) -> Action:
    def act() -> None:
        _certificates._parse_given.cache_clear()
        with suppress(ImdsError):
            verify(given, **trust(**arguments))

    return act


def limited(permitted: list[x509.GeneralName] | None, excluded: list[x509.GeneralName] | None) -> Issued:
    """An issuer with name constraints."""
    limits = x509.NameConstraints(permitted, excluded)
    return authority("Limited CA", root(), extra=[x509.Extension(limits.oid, False, limits)])


EVERYTHING: list[x509.GeneralName] = [x509.DNSName("azure.com"), x509.DirectoryName(name(None))]
FREE, LIMITED = limited(EVERYTHING, [x509.DNSName("example.com")]), limited(None, EVERYTHING)
BY_FREE = document(by=leaf(FREE, dns=[], addresses=[ADDRESS]))
BY_LIMITED = document(by=leaf(LIMITED, dns=[], addresses=[ADDRESS]))
SECRETS |= {"base64 by free": BY_FREE["signature"][100:200], "base64 by limited": BY_LIMITED["signature"][100:200]}

VERIFICATIONS = {
    "valid": verifying(GIVEN, nonce=NONCE, roots=root().pem),
    "another root": verifying(GIVEN, roots=authority("Another Root").der),
    "another issuer": verifying(FOREIGN),
    "another algorithm": verifying(document(digest="1.3.14.3.2.26")),
    "expired certificate": verifying(GIVEN, now=2**31),
    "name constraints": verifying(BY_FREE, intermediates=FREE.der),
    "broken name constraints": verifying(BY_LIMITED, intermediates=LIMITED.der),
    "JSON text": verifying(json.dumps(GIVEN)),
    "invalid argument": verifying(GIVEN, cloud="mars"),
}


def leaks(action: Action, exception: type[BaseException], *modules: ModuleType, secrets: list[str]) -> list[str]:
    found: list[str] = []
    for place, error in injected(action, exception, *executed_functions(action, *modules)):
        if isinstance(error, exception):
            found += [f"{place}: {where}" for secret in secrets for where in shown(secret, error)]
    return found


@pytest.mark.parametrize("exception", EXCEPTIONS)
@pytest.mark.parametrize("case", VERIFICATIONS)
def test_no_line_of_verification_shows_the_document(case: str, exception: type[BaseException]) -> None:
    assert leaks(VERIFICATIONS[case], exception, *MODULES, secrets=[*SECRETS.values()]) == []


def body() -> bytes:
    """A certificate with text around it."""
    return f"{CANARY}\n".encode() + intermediate().pem


def respond(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=body())


def respond_not_found(request: httpx.Request) -> httpx.Response:
    return httpx.Response(404, content=body())


RESPONSES = [respond, respond_not_found]


def fetching(colour: Colour, respond: Callable[[httpx.Request], httpx.Response]) -> Action:
    async def afetch() -> None:
        await afetch_intermediates(GIVEN, transport=httpx.MockTransport(respond))

    def fetch() -> None:
        with suppress(ImdsError):
            if colour.name == "sync":
                fetch_intermediates(GIVEN, transport=httpx.MockTransport(respond))
            else:
                anyio.run(afetch, backend=colour.name)

    return fetch


# An exception between two chunks leaves httpx's generators unfinished. Trio warns about that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("exception", EXCEPTIONS)
@pytest.mark.parametrize("respond", RESPONSES)
def test_no_line_of_a_download_shows_the_document_or_a_body(
    colour: Colour, respond: Any, exception: type[BaseException]
) -> None:
    assert leaks(fetching(colour, respond), exception, *MODULES, answer, secrets=[*SECRETS.values(), CANARY]) == []


def test_an_exception_was_raised_in_every_function() -> None:
    every = {function for module in MODULES for function in functions(module)}
    actions = [*VERIFICATIONS.values(), *(fetching(colour, respond) for colour in COLOURS for respond in RESPONSES)]
    called = {function for action in actions for function in executed_functions(action, *MODULES)}
    assert {function.__qualname__ for function in every - called} == {"_encode_algorithms"}, "it runs at import time"


def test_an_exception_of_the_callers_transport_names_its_place(colour: Colour) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError(f"for {request.url}")

    with pytest.raises(ZeroDivisionError) as raised:
        fetching(colour, fail)()
    assert [note for note in raised.value.__notes__ if "test_tracebacks.py" in note and "in fail" in note]
    assert shown(SECRETS["base64"], raised.value) == []


def test_an_exception_of_the_callers_iterator_of_certificates_is_not_raised_through_the_document() -> None:
    def interrupt() -> Iterator[bytes]:
        yield root().der
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        verify(GIVEN, **trust(roots=interrupt()))
    assert shown(SECRETS["base64"], raised.value) == []


def test_a_traceback_ends_in_the_frame_of_the_caller() -> None:
    with pytest.raises(AttestationError) as raised:
        verify(GIVEN, **trust(intermediates=None))
    assert [frame.filename for frame in traceback.extract_tb(raised.tb)] == [__file__]
    assert list_errors(raised.value) == [raised.value]
