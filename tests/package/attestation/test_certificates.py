"""Certificates that are malformed, limited by name constraints, expired or roots, and what `verify` makes of them."""

from __future__ import annotations

import copy
import ipaddress
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from attestation_support import (
    NOW,
    SERVER,
    VM_ID,
    Issued,
    Node,
    authority,
    certificate_node,
    document,
    document_by,
    intermediate,
    issue,
    key,
    leaf,
    name,
    parse_der,
    root,
    sign_again,
    trust,
)
from azure_imds import ImdsValidationError
from azure_imds.attestation import (
    AttestationError,
    _certificates,
    _chain,
    _cms,
    _constraints,
    _document,
    _intermediates,
    _names,
    _roots,
    afetch_intermediates,
    fetch_intermediates,
    verify,
)
from injection import code_of, executed, injected
from support import Colour

AIA = "http://www.microsoft.com/pkiops/certs/Test%20Issuing%20CA.crt"
DAY = timedelta(days=1)

COMMON_NAME, COUNTRY, ORGANIZATION, UNIQUE_ID = (bytes.fromhex(oid) for oid in ("550403", "550406", "55040a", "55042d"))
UTF8, PRINTABLE, BMP, BIT_STRING, INTEGER = 0x0C, 0x13, 0x1E, 0x03, 0x02


def outcome(given: Any, **arguments: Any) -> Any:
    """Returns what `verify` returns, or the refusal."""
    try:
        return verify(given, **trust(**arguments))
    except AttestationError as error:
        return error


def refusal(given: Any, **arguments: Any) -> AttestationError:
    error = outcome(given, **arguments)
    assert isinstance(error, AttestationError)
    return error


def accepts(given: Any, **arguments: Any) -> bool:
    return bool(verify(given, **trust(**arguments)).vm_id == VM_ID)


def rdn(*attributes: tuple[bytes, int, bytes]) -> Node:
    """A part of a distinguished name: the type, the tag and the content of each attribute."""
    return Node(
        0x31, parts=[Node(0x30, parts=[Node(0x06, kind), Node(tag, content)]) for kind, tag, content in attributes]
    )


def named(*parts: Node) -> Node:
    """A distinguished name that ends with the common name of the cloud's domain."""
    return Node(0x30, parts=[*parts, rdn((COMMON_NAME, UTF8, b"metadata.azure.com"))])


#: cryptography raises ValueError or TypeError for each of these, when the name is used.
MALFORMED = {
    "not UTF-8": named(rdn((ORGANIZATION, UTF8, b"\xff\xfe"))),
    "an attribute twice": named(rdn((ORGANIZATION, UTF8, b"A"), (ORGANIZATION, UTF8, b"B"))),
    "the same attribute twice": named(rdn((ORGANIZATION, UTF8, b"A"), (ORGANIZATION, UTF8, b"A"))),
    "odd number of bytes in UTF-16": named(rdn((ORGANIZATION, BMP, b"abc"))),
    "empty part": named(Node(0x31)),
}
#: cryptography refuses some of these when they are used, and warns about the others.
ODD = {
    "number": named(rdn((ORGANIZATION, INTEGER, b"\x05"))),
    "bit string": named(rdn((ORGANIZATION, BIT_STRING, b"\0abc"))),
    "unique id": named(rdn((UNIQUE_ID, BIT_STRING, b"\0abc"))),
    "country of three letters": named(rdn((COUNTRY, PRINTABLE, b"USA"))),
    "empty country": named(rdn((COUNTRY, PRINTABLE, b""))),
    "long common name": named(rdn((COMMON_NAME, UTF8, b"x" * 65))),
    "empty common name": named(rdn((COMMON_NAME, UTF8, b""))),
    "nothing but the domain": named(),
    "nothing": Node(0x30),
}


def with_name(issued: Issued, place: int, changed: Node, by: Issued) -> Node:
    """A certificate with another issuer (3) or subject (5), signed again."""
    certificate = certificate_node(issued)
    certificate.parts[0].parts[place] = copy.deepcopy(changed)
    return sign_again(certificate, by)


def subject(changed: Node) -> Any:
    return document_by(with_name(leaf(intermediate(), addresses=[AIA]), 5, changed, intermediate()))


def issuer(changed: Node) -> Any:
    return document_by(with_name(leaf(intermediate(), addresses=[AIA]), 3, changed, intermediate()))


@pytest.mark.parametrize("case", MALFORMED)
@pytest.mark.parametrize("place", [subject, issuer])
def test_a_malformed_name_makes_a_certificate_unreadable(colour: Colour, place: Any, case: str) -> None:
    given = place(MALFORMED[case])
    for intermediates in (intermediate().certificate, None):
        error = refusal(given, intermediates=intermediates)
        assert (error.reason, str(error)) == ("bad_certificate", "attested document: its certificate cannot be read")
    assert fetched(colour, given).reason == "bad_certificate"


@pytest.mark.parametrize("case", ODD)
def test_an_odd_name_is_read_without_a_warning(colour: Colour, case: str) -> None:
    # pytest is configured to turn warnings into exceptions.
    assert accepts(subject(ODD[case]))
    assert fetched(colour, subject(ODD[case])) == [intermediate().certificate]
    given = issuer(ODD[case])
    assert refusal(given).reason == "intermediate_missing"
    assert refusal(given, intermediates=None).reason == "intermediate_missing"
    assert fetched(colour, given).reason == "intermediate_missing"


@pytest.mark.parametrize("case", [*MALFORMED, *ODD])
def test_an_intermediate_with_an_odd_name_is_used_or_ignored(case: str) -> None:
    changed = {**MALFORMED, **ODD}[case]
    above = with_name(intermediate(), 5, changed, root()).encode()
    other = with_name(intermediate(), 3, changed, root()).encode()
    if case == "odd number of bytes in UTF-16":  # the only one that cryptography refuses to load
        with pytest.raises(ImdsValidationError, match=r"^attestation\.verify: intermediates must be certificates"):
            verify(document(), **trust(intermediates=[intermediate().der, above]))
        return
    given = outcome(issuer(changed), intermediates=above)
    if case in MALFORMED:
        assert given.reason == "bad_certificate"
    elif case == "nothing":
        assert given.reason == "untrusted_chain"
        assert "certificate must have a non-empty Issuer" in str(given)
    else:
        assert given.vm_id == VM_ID
    assert refusal(document(), intermediates=[above, other]).reason in ("intermediate_missing", "untrusted_chain")
    assert accepts(document(), intermediates=[above, other, intermediate().der])
    assert accepts(document(), roots=[above, root().der])


def test_roots_that_cannot_be_read_are_no_roots() -> None:
    malformed = with_name(root(), 5, MALFORMED["not UTF-8"], root()).encode()
    with pytest.raises(ImdsValidationError, match=r"^attestation\.verify: roots must contain at least one valid"):
        verify(document(), **trust(roots=malformed))


def fetched(colour: Colour, given: Any, *bodies: bytes, **options: Any) -> Any:
    """Returns what `fetch_intermediates` downloads, or the refusal. The last body is the answer to further requests."""
    left = [*(bodies or [intermediate().der])]
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, content=left.pop(0) if len(left) > 1 else left[0])
    )

    async def afetch() -> Any:
        return await afetch_intermediates(given, transport=transport, **options)

    try:
        if colour.name == "sync":
            return fetch_intermediates(given, transport=transport, **options)
        return anyio.run(afetch, backend=colour.name)
    except AttestationError as error:
        return error


@pytest.mark.parametrize("case", [*MALFORMED, *ODD])
@pytest.mark.parametrize("place", [3, 5], ids=["issuer", "subject"])
def test_a_downloaded_issuer_with_an_odd_name_is_used_or_ignored(colour: Colour, place: int, case: str) -> None:
    changed = {**MALFORMED, **ODD}[case]
    body = with_name(authority("Test Issuing CA", root(), addresses=[AIA]), place, changed, root()).encode()
    given = document(by=leaf(intermediate(), addresses=[AIA]))
    found = fetched(colour, given, body)
    if place == 3 and case in ODD:
        assert [certificate.public_bytes(Encoding.DER) for certificate in found] == [body]
    else:
        assert found.reason == "intermediate_missing"


@pytest.mark.parametrize("critical", [True, False])
def test_an_odd_directory_name_among_the_alternative_names_is_no_exception(critical: bool) -> None:
    # cryptography warns about it when it reads the extension, and a warning may be an exception.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        long = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x" * 65, _validate=False)])
    names = x509.SubjectAlternativeName([x509.DNSName("metadata.azure.com"), x509.DirectoryName(long)])
    signer = leaf(intermediate(), dns=[], extra=[x509.Extension(names.oid, critical, names)])
    assert refusal(document(by=signer)).reason == "bad_certificate"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert accepts(document(by=signer))


@pytest.mark.parametrize("place", [_names, _chain, _constraints, _document, _intermediates])
def test_whatever_else_a_document_causes_is_a_refusal(
    colour: Colour, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise UnicodeError("an exception that nothing expects")

    steps = {
        _names: (_certificates, "read_name"),
        _chain: (_document, "check_chain"),
        _constraints: (_chain, "permits"),
        _document: (_document, "check_name"),
        _intermediates: (_intermediates, "_read_addresses"),
    }
    limited = authority("Limited CA", root(), extra=[constraints(permitted=[x509.DNSName("azure.com")])])
    given = document(by=leaf(limited, addresses=[AIA]))
    arguments = trust(intermediates=limited.der)
    loaded = {**arguments, "intermediates": _certificates.load_certificates(limited.der, "verify", "intermediates")}
    monkeypatch.setattr(_document, "load_certificates", lambda given, *_: loaded.get("intermediates"))
    monkeypatch.setattr(*steps[place], fail)
    if place is _intermediates:
        assert fetched(colour, given).reason == "bad_certificate"
        return
    monkeypatch.setattr(_document, "_load_roots", lambda _: loaded["intermediates"])
    error = refusal(given)
    assert error.reason == "bad_certificate"
    assert error.__context__ is error.__cause__ is None
    if place in (_names, _document):
        assert fetched(colour, given).reason == "bad_certificate"


class Alarm(Exception):
    """What a signal handler raises."""


@contextmanager
def handler_that_raises(exception: type[Exception]) -> Iterator[Callable[[], Exception]]:
    """Sets a signal handler, and returns a function that makes it raise."""

    def interrupt(number: int, frame: object) -> None:
        raise exception("from a signal handler")

    def trigger() -> Exception:
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("the handler did not raise")

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield trigger
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("exception", [Alarm, TimeoutError, ValueError])
def test_an_exception_of_a_signal_handler_leaves_verify_from_every_line(exception: type[Exception]) -> None:
    limited = authority("Limited CA", root(), extra=[constraints([DNS("azure.com"), ORGANIZED], None, critical=False)])
    given = document(by=leaf(limited, dns=[]))
    functions = [
        _certificates._load,
        _certificates._parse_given.__wrapped__,
        _certificates.check_name,
        _certificates.is_issued_by,
        _certificates.load_certificates,
        _certificates.load_signer,
        _certificates.parse_certificate,
        _chain._explain_gap,
        _chain._follow_signatures,
        _chain._find_broken_rule,
        _chain._find_issuer_problem,
        _chain.check_chain,
        _cms._read_signed_data,
        _cms.read_signed_data,
        _constraints._permits,
        _constraints.permits,
        _document._check_signature,
        _document._decode,
        _document._get_signature,
        _document._parse_time,
        _document._read_content,
        _document._to_datetime,
        _names.read_name,
    ]

    def act() -> None:
        _certificates._parse_given.cache_clear()
        with suppress(AttestationError):
            verify(given, **trust(roots=authority("Another Root").der, intermediates=limited.der))
        verify(given, **trust(intermediates=limited.der))

    places = executed(act, code_of(*functions))
    with handler_that_raises(exception) as trigger:
        errors = [error for _, error in injected(act, trigger, *functions)]
    assert [type(error) for error in errors] == [exception] * len(places)
    assert len(places) > 150


def test_an_exception_of_a_signal_handler_leaves_a_download(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    given = document(by=leaf(intermediate(), addresses=[AIA]))
    parse = _intermediates.parse_certificate
    with handler_that_raises(TimeoutError) as trigger:
        monkeypatch.setattr(_intermediates, "parse_certificate", lambda _: trigger())
        with pytest.raises(TimeoutError, match="from a signal handler"):
            fetched(colour, given)
    monkeypatch.setattr(_intermediates, "parse_certificate", parse)
    assert fetched(colour, given) == [intermediate().certificate]


def test_an_interrupted_reading_of_the_trust_stores_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    with handler_that_raises(TimeoutError) as trigger:
        context = SimpleNamespace(create_default_context=lambda **_: trigger(), SSLError=OSError)
        monkeypatch.setattr(_roots, "ssl", context)
        _roots._stored_roots.cache_clear()
        with pytest.raises(TimeoutError, match="from a signal handler"):
            verify(document(), now=NOW)
    monkeypatch.undo()
    assert _roots._stored_roots("public")


@pytest.mark.parametrize(
    ("common", "dns"),
    [
        ("metadata.azure.com", ["other.example"]),
        ("eastus.metadata.azure.com", ["other.example", "azure.com"]),
        ("metadata.azure.com", ["metadata.azure.us"]),
    ],
)
def test_a_common_name_does_not_count_where_there_is_a_dns_name(common: str, dns: list[str], colour: Colour) -> None:
    given = document(by=leaf(intermediate(), common, dns=dns, addresses=[AIA]))
    error = refusal(given)
    assert error.reason == "wrong_name"
    assert repr(dns[0]) in str(error)
    assert fetched(colour, given).reason == "wrong_name"


@pytest.mark.parametrize(
    "alternative",
    [
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.UniformResourceIdentifier("http://other.example"),
        x509.RFC822Name("a@other.example"),
    ],
    ids=["address", "URL", "e-mail"],
)
def test_a_common_name_counts_next_to_alternative_names_of_other_kinds(alternative: x509.GeneralName) -> None:
    names = x509.SubjectAlternativeName([alternative])
    assert accepts(document(by=leaf(intermediate(), dns=[], extra=[x509.Extension(names.oid, False, names)])))


ORGANIZED = x509.DirectoryName(name(None))


def directory(*texts: str) -> x509.DirectoryName:
    return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text) for text in texts]))


def constraints(
    permitted: list[x509.GeneralName] | None = None,
    excluded: list[x509.GeneralName] | None = None,
    critical: bool = True,
) -> x509.Extension[Any]:
    return x509.Extension(x509.NameConstraints.oid, critical, x509.NameConstraints(permitted, excluded))


DNS = x509.DNSName

#: Permitted and excluded names, and whether they permit metadata.azure.com.
CONSTRAINTS: dict[str, tuple[list[x509.GeneralName] | None, list[x509.GeneralName] | None, bool]] = {
    "the name": ([DNS("metadata.azure.com")], None, True),
    "a domain above": ([DNS("azure.com")], None, True),
    "in upper case": ([DNS("AZURE.com")], None, True),
    "one of two": ([DNS("example.com"), DNS("azure.com")], None, True),
    "another": ([DNS("example.com")], None, False),
    "a domain below": ([DNS("eastus.metadata.azure.com")], None, False),
    "the end of a label": ([DNS("data.azure.com")], None, False),
    "other kinds only": ([x509.IPAddress(ipaddress.ip_network("192.0.2.0/24"))], None, True),
    "excluded": (None, [DNS("metadata.azure.com")], False),
    "a domain above excluded": (None, [DNS("example.com"), DNS("azure.com")], False),
    "another excluded": (None, [DNS("example.com")], True),
    "a domain below excluded": (None, [DNS("eastus.metadata.azure.com")], True),
    "permitted and excluded": ([DNS("azure.com")], [DNS("metadata.azure.com")], False),
}


@pytest.mark.parametrize("case", CONSTRAINTS)
@pytest.mark.parametrize("dns", [["metadata.azure.com"], []], ids=["DNS name", "common name"])
@pytest.mark.parametrize("where", ["intermediate", "upper intermediate", "root"])
def test_name_constraints_hold_for_dns_names_and_for_common_names(case: str, dns: list[str], where: str) -> None:
    permitted, excluded, is_permitted = CONSTRAINTS[case]
    limits: dict[str, Any] = {"extra": [constraints(permitted, excluded)]}
    top = authority("Top", own_key=key("root"), **(limits if where == "root" else {}))
    upper = authority("Upper CA", top, **(limits if where == "upper intermediate" else {}))
    lower = authority("Lower CA", upper, **(limits if where == "intermediate" else {}))
    given = document(by=leaf(lower, dns=dns))
    arguments = {"roots": top.der, "intermediates": [lower.der, upper.der]}
    if is_permitted:
        assert accepts(given, **arguments)
    else:
        assert refusal(given, **arguments).reason == "untrusted_chain"


@pytest.mark.parametrize(
    ("common", "permitted", "excluded", "is_permitted"),
    [
        ("*.metadata.azure.com", "azure.com", None, True),
        ("*.metadata.azure.com", "metadata.azure.com", None, True),
        ("*.metadata.azure.com", "eastus.metadata.azure.com", None, False),
        ("*.metadata.azure.com", None, "eastus.metadata.azure.com", False),
        ("*.metadata.azure.com", None, "azure.com", False),
        ("*.metadata.azure.com", None, "example.com", True),
        ("metadata.azure.com", ".azure.com", None, False),
        ("metadata.azure.com", None, ".azure.com", False),
        ("metadata.azure.com", "", None, True),
        ("metadata.azure.com", None, "", False),
    ],
)
def test_wildcards_and_unusual_constraints_of_a_common_name(
    common: str, permitted: str | None, excluded: str | None, is_permitted: bool
) -> None:
    limits = constraints(None if permitted is None else [DNS(permitted)], None if excluded is None else [DNS(excluded)])
    limited = authority("Limited CA", root(), extra=[limits])
    given = document(by=leaf(limited, common, dns=[]))
    error = outcome(given, intermediates=limited.der)
    assert isinstance(error, AttestationError) is not is_permitted
    if not is_permitted:
        assert error.reason == "untrusted_chain"
        assert "'Limited CA' may not certify the name of the document's certificate" in str(error)


@pytest.mark.parametrize("dns", [["metadata.azure.com"], []], ids=["DNS name", "common name"])
@pytest.mark.parametrize(
    ("permitted", "excluded", "is_permitted"),
    [
        ([ORGANIZED], None, True),
        ([directory("TESTS,  not microsoft")], None, True),
        ([directory("Somebody"), ORGANIZED], None, True),
        ([directory("Somebody")], None, False),
        ([directory("Tests, not Microsoft", "Tests, not Microsoft")], None, False),
        (None, [ORGANIZED], False),
        (None, [directory("Somebody")], True),
    ],
)
def test_name_constraints_hold_for_the_subject(
    permitted: Any, excluded: Any, is_permitted: bool, dns: list[str]
) -> None:
    # Critical ones of this kind are refused by cryptography in any case.
    limited = authority("Limited CA", root(), extra=[constraints(permitted, excluded, critical=False)])
    given = document(by=leaf(limited, dns=dns))
    error = outcome(given, intermediates=limited.der)
    assert isinstance(error, AttestationError) is not is_permitted
    if not is_permitted:
        assert error.reason == "untrusted_chain"


def test_a_path_without_the_limited_issuer_is_found() -> None:
    # Both issuers have the same name and key.
    limited = authority("Crossed CA", root(), extra=[constraints([DNS("example.com")])])
    free = authority("Crossed CA", root())
    given = document(by=leaf(free, dns=[]))
    for intermediates in ([limited.der, free.der], [free.der, limited.der]):
        assert accepts(given, intermediates=intermediates)


class TestExpiredIntermediates:
    """An expired intermediate that the caller has kept counts as absent."""

    def test_the_reason_is_one_on_which_the_recipe_downloads(self, colour: Colour) -> None:
        kept = authority("Renewed CA", root(), end=NOW - DAY)
        renewed = authority("Renewed CA", root())
        given = document(by=leaf(renewed, addresses=[AIA]))
        error = refusal(given, intermediates=kept.der)
        assert error.reason == "intermediate_missing"
        assert "its issuer 'Renewed CA'" in str(error)
        assert "(the one in intermediates expired 2026-02-28 12:00:00 UTC)" in str(error)
        assert "fetch_intermediates()" in error.hint
        found = fetched(colour, given, renewed.der)
        assert accepts(given, intermediates=[kept.der, *found])

    def test_an_expired_cross_certificate_higher_up_counts_as_absent_too(self) -> None:
        young = authority("Young Root")
        crossed = authority("Young Root", root(), own_key=young.key, end=NOW - DAY)
        lower = authority("Young CA", young)
        error = refusal(document(by=leaf(lower)), intermediates=[lower.der, crossed.der])
        assert error.reason == "untrusted_chain"
        assert "ends at 'Young Root', which is not a trusted root (the one in intermediates expired" in str(error)
        again = authority("Young Root", root(), own_key=young.key)
        assert accepts(document(by=leaf(lower)), intermediates=[lower.der, crossed.der, again.der])

    def test_it_is_valid_until_its_last_second(self) -> None:
        kept = authority("Renewed CA", root(), end=NOW)
        given = document(by=leaf(kept))
        assert accepts(given, intermediates=kept.der)
        assert refusal(given, intermediates=kept.der, now=NOW + timedelta(seconds=1)).reason == "intermediate_missing"

    def test_one_that_is_not_valid_yet_is_a_wrong_clock(self) -> None:
        early = authority("Early CA", root(), begin=NOW + DAY)
        assert refusal(document(by=leaf(early)), intermediates=early.der).reason == "certificate_not_yet_valid"

    def test_an_expired_root_is_still_named(self) -> None:
        late = authority("Late Root", end=NOW - DAY)
        assert refusal(document(by=leaf(late)), roots=late.der).reason == "certificate_expired"


def pinned(issued: Issued, *clouds: str) -> _roots._Root:
    """An entry of the list of Azure's roots."""
    import hashlib

    info = issued.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    common = issued.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return _roots._Root(str(common), hashlib.sha256(info).hexdigest(), frozenset(clouds or {"public"}))


class TestRootsAmongIntermediates:
    """Microsoft's list of certificate authorities contains roots that few trust stores have yet."""

    @pytest.fixture(params=[True, False], ids=["other roots in the store", "empty store"])
    def store(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if not request.param:
            monkeypatch.setattr(_roots, "_stored_roots", lambda cloud: ())

    @pytest.fixture
    def new_root(self, store: None, monkeypatch: pytest.MonkeyPatch) -> Issued:
        issued = authority("New Azure Root", own_key=key("new root"))
        monkeypatch.setattr(_roots, "_ROOTS", (*_roots._ROOTS, pinned(issued)))
        return issued

    def test_a_self_signed_certificate_with_a_roots_name_and_key_is_trusted(self, new_root: Issued) -> None:
        lower = authority("New CA", new_root)
        given = document(by=leaf(lower))
        for intermediates in ([lower.der, new_root.der], [new_root.pem + lower.pem], [lower.certificate, new_root.pem]):
            assert accepts(given, roots=None, intermediates=intermediates)
        assert accepts(document(by=leaf(new_root)), roots=None, intermediates=new_root.certificate)

    def test_it_is_not_if_roots_are_passed(self, new_root: Issued) -> None:
        lower = authority("New CA", new_root)
        assert refusal(document(by=leaf(lower)), intermediates=[lower.der, new_root.der]).reason == "untrusted_chain"

    def test_it_is_not_in_another_cloud(self, new_root: Issued) -> None:
        lower = authority("New CA", new_root)
        given = document(by=leaf(lower, dns=["metadata.azure.us"]))
        error = refusal(given, roots=None, intermediates=[lower.der, new_root.der], cloud="usgov")
        assert error.reason in ("untrusted_chain", "no_roots")

    def test_another_key_is_not_trusted(self, new_root: Issued) -> None:
        forged = authority("New Azure Root", own_key=key("somebody"))
        lower = authority("New CA", forged)
        error = refusal(document(by=leaf(lower)), roots=None, intermediates=[lower.der, forged.der])
        assert error.reason in ("untrusted_chain", "no_roots")

    def test_another_name_is_not_trusted(self, new_root: Issued) -> None:
        other = authority("Another Root", own_key=new_root.key)
        lower = authority("New CA", other)
        error = refusal(document(by=leaf(lower)), roots=None, intermediates=[lower.der, other.der])
        assert error.reason in ("untrusted_chain", "no_roots")

    def test_a_cross_certificate_is_no_root(self, new_root: Issued) -> None:
        crossed = authority("New Azure Root", root(), own_key=new_root.key)
        lower = authority("New CA", new_root)
        error = refusal(document(by=leaf(lower)), roots=None, intermediates=[lower.der, crossed.der])
        assert error.reason in ("untrusted_chain", "no_roots")

    def test_a_certificate_with_another_signature_is_no_root(self, new_root: Issued) -> None:
        # It has the root's name as subject and issuer, and the root's key, but somebody else has signed it.
        forged = sign_again(certificate_node(new_root), Issued(new_root.certificate, key("somebody"))).encode()
        lower = authority("New CA", new_root)
        error = refusal(document(by=leaf(lower)), roots=None, intermediates=[lower.der, forged])
        assert error.reason in ("untrusted_chain", "no_roots")

    def test_an_expired_one_counts_as_absent(self, new_root: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = authority("New Azure Root", own_key=new_root.key, end=NOW - DAY)
        lower = authority("New CA", new_root)
        error = refusal(document(by=leaf(lower)), roots=None, intermediates=[lower.der, kept.der])
        assert error.reason in ("untrusted_chain", "no_roots")

    def test_a_leaf_that_is_signed_by_itself_is_not_a_root(self, new_root: Issued) -> None:
        # Its own certificate, passed as an intermediate, must not be a root because of its name.
        itself = issue(
            "New Azure Root", own_key=key("leaf"), authority=False, usages=SERVER, dns=["metadata.azure.com"]
        )
        error = refusal(document(by=itself), roots=None, intermediates=[itself.der, new_root.der])
        assert error.reason in ("untrusted_chain", "intermediate_missing")


def test_the_fourth_root_is_only_for_china() -> None:
    assert {root.name for root in _roots._ROOTS if "china" in root.clouds} == {root.name for root in _roots._ROOTS}
    (only,) = [root for root in _roots._ROOTS if "public" not in root.clouds]
    assert only.name == "DigiCert Global Root CA"


def test_a_tree_encodes_to_the_same_certificate() -> None:
    assert certificate_node(root()).encode() == root().der
    assert document_by(parse_der(leaf(intermediate()).der)[0])["encoding"] == "pkcs7"
    assert accepts(document_by(sign_again(certificate_node(leaf(intermediate())), intermediate())))
