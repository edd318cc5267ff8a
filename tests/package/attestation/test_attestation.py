"""Which attested documents `verify` accepts, for which reason it refuses the others, and what is downloaded."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import anyio
import certifi
import httpx
import pytest
from asn1crypto import algos, cms, crl
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

import attestation_support as support
from attestation_support import (
    NONCE,
    NOW,
    PAYLOAD,
    RSA,
    SHA256,
    SHA256_WITH_RSA,
    VM_ID,
    Issued,
    Node,
    authority,
    der,
    document,
    intermediate,
    issue,
    key,
    leaf,
    parse_der,
    payload,
    root,
    signed_data,
    signer,
    trust,
    wrapped,
)
from azure_imds import ImdsError, ImdsValidationError
from azure_imds.attestation import (
    AttestationError,
    AttestedData,
    AttestedDocument,
    Cloud,
    Reason,
    _intermediates,
    _roots,
    afetch_intermediates,
    fetch_intermediates,
    verify,
)
from azure_imds.attestation._certificates import parse_certificate
from azure_imds_emulator import Clock, Emulator
from support import COLOURS, ROOT, Colour, Wire, example, find_secret, python, raw_server, reply

AIA = "http://www.microsoft.com/pkiops/certs/Test%20Issuing%20CA.crt"
AIA_2 = "http://caissuers.microsoft.com/pkiops/certs/Test%20Issuing%20CA.crt"
DAY = timedelta(days=1)


def refusal(given: Any, **arguments: Any) -> AttestationError:
    with pytest.raises(AttestationError) as raised:
        verify(given, **trust(**arguments))
    return raised.value


def test_verify_returns_the_content_that_azure_signed() -> None:
    data = verify(document(), nonce=NONCE, **trust())
    assert isinstance(data, AttestedData)
    assert data.to_dict() == PAYLOAD
    assert data.vm_id == VM_ID


@pytest.mark.parametrize("digest", [SHA256, SHA256_WITH_RSA], ids=["standard", "live documents"])
@pytest.mark.parametrize("signature", [RSA, SHA256_WITH_RSA], ids=["rsa", "rsa with digest"])
@pytest.mark.parametrize("null", [True, False], ids=["null", "no parameters"])
def test_all_encodings_of_rsa_with_sha_256_are_accepted(digest: str, signature: str, null: bool) -> None:
    assert verify(document(digest=digest, signature_algorithm=signature, null=null), **trust()).vm_id == VM_ID


def test_a_document_is_a_model_a_json_object_or_a_signature() -> None:
    given = document()
    model = AttestedDocument.from_dict(given)
    assert verify(model, **trust()) == verify(given, **trust()) == verify(given["signature"], **trust())


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_signature_may_end_with_a_line_feed(colour: Colour, end: str) -> None:
    # Shells and editors end a file with it.
    given = leading_to(AIA)
    text = given["signature"] + end
    for form in (text, {**given, "signature": text}, AttestedDocument.from_dict({**given, "signature": text})):
        assert verify(form, **trust()).vm_id == VM_ID
        assert Hosts().fetch(colour, form) == [intermediate().certificate]


@pytest.mark.parametrize(
    "write",
    [
        json.dumps,
        lambda given: json.dumps(given, indent=2) + "\n",
        lambda given: "\r\n " + json.dumps({**given, "more": [1, None]}),
        lambda given: json.dumps({**given, "signature": given["signature"] + "\n"}),
    ],
    ids=["compact", "indented", "with more members", "line feed in it"],
)
def test_a_document_may_be_the_json_text_of_the_whole_answer(colour: Colour, write: Callable[[Any], str]) -> None:
    given = write(leading_to(AIA))
    assert verify(given, nonce=NONCE, **trust()).vm_id == VM_ID
    assert Hosts().fetch(colour, given) == [intermediate().certificate]


def test_the_reference_example_verifies_where_its_own_certificate_is_the_root() -> None:
    given = example("attested-document")
    (certificate,) = pkcs7.load_der_pkcs7_certificates(base64.b64decode(given["signature"]))
    data = verify(given, nonce=NONCE, roots=[certificate], now=datetime(2024, 1, 2, 4, tzinfo=UTC))
    assert data.to_dict() == example("attested-payload")


@pytest.mark.parametrize("digest_oid", ["observed", "strict"])
def test_the_emulators_document_verifies(colour: Colour, digest_oid: Any) -> None:
    with Emulator(attested_digest_oid=digest_oid, clock=Clock(NOW, frozen=True)) as emulator:
        given = colour.run(lambda imds: imds.attested.get_document(nonce="a-B_9"), endpoint=emulator.endpoint)
        data = verify(
            given,
            nonce="a-B_9",
            now=emulator.clock.time(),
            roots=emulator.attested_roots,
            intermediates=emulator.attested_intermediates,
        )
        assert data.vm_id == emulator.machine.compute["vmId"]
        assert data.subscription_id == emulator.machine.compute["subscriptionId"]


CLOUDS: dict[Cloud, tuple[str, str]] = {
    "public": ("AzurePublicCloud", "metadata.azure.com"),
    "usgov": ("AzureUSGovernmentCloud", "metadata.azure.us"),
    "china": ("AzureChinaCloud", "metadata.azure.cn"),
    "germany": ("AzureGermanCloud", "metadata.microsoftazure.de"),
}


def test_every_cloud_is_tested() -> None:
    assert set(CLOUDS) == set(get_args(Cloud))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_its_own_domain(cloud: Cloud) -> None:
    emulator = Emulator(clock=Clock(NOW, frozen=True))
    emulator.machine.compute["azEnvironment"] = CLOUDS[cloud][0]
    given = emulator.attested.build_document("2023-07-01", None)
    trusted: dict[str, Any] = {
        "now": NOW,
        "roots": emulator.attested_roots,
        "intermediates": emulator.attested_intermediates,
    }
    assert verify(given, cloud=cloud, **trusted).vm_id
    for other in set(CLOUDS) - {cloud}:
        with pytest.raises(AttestationError, match=re.escape(CLOUDS[other][1])) as raised:
            verify(given, cloud=other, **trusted)
        assert raised.value.reason == "wrong_name"
        assert f"cloud='{cloud}'" in raised.value.hint


@pytest.mark.parametrize(
    ("common", "dns"),
    [
        ("somebody", ["metadata.azure.com"]),
        ("somebody", ["other.example", "eastus.metadata.azure.com"]),
        ("somebody", ["a.b.c.metadata.azure.com"]),
        ("somebody", ["*.metadata.azure.com"]),
        (None, ["METADATA.Azure.com"]),
        ("metadata.azure.com", []),
        ("eastus.metadata.azure.com", []),
    ],
)
def test_the_signer_has_the_domain_or_a_subdomain_as_dns_name_or_without_any_as_common_name(
    common: str | None, dns: list[str]
) -> None:
    assert verify(document(by=leaf(intermediate(), common, dns=dns)), **trust()).vm_id == VM_ID


@pytest.mark.parametrize(
    "foreign",
    [
        "example.com",
        "metadata.azure.com.example.com",
        "evilmetadata.azure.com",
        "azure.com",
        "metadata.azure.us",
        "metadata.azure.com.",
        "a\0.metadata.azure.com",
        "example.com/.metadata.azure.com",
    ],
)
def test_a_leaf_with_another_name_is_refused_and_the_message_contains_the_name(foreign: str) -> None:
    # As common names, since cryptography refuses some of these as DNS names.
    error = refusal(document(by=leaf(intermediate(), foreign, own_key=key("leaf"), dns=())))
    assert error.reason == "wrong_name"
    assert ascii(foreign) in str(error)
    assert "metadata.azure.com" in str(error)


def test_a_name_from_a_certificate_cannot_break_lines_or_flood_a_log() -> None:
    error = refusal(document(by=leaf(intermediate(), "x\n" * 30, dns=[])))
    assert "\n" not in str(error)
    assert refusal(document(by=leaf(intermediate(), "somebody", dns=["a." * 100 + "example"]))).reason == "wrong_name"
    assert len(str(refusal(document(by=leaf(intermediate(), "somebody", dns=["a." * 100 + "example"]))))) < 400


def test_a_timestamp_spelled_as_in_microsofts_tables_is_read() -> None:
    stamp = PAYLOAD["timeStamp"]
    data = verify(document(payload(timeStamp=None, timestamp=stamp)), **trust())
    assert data.time_stamp
    assert data.time_stamp.expires_on == stamp["expiresOn"]


def test_the_members_of_the_oldest_api_version_are_sufficient() -> None:
    old = payload(licenseType=None, sku=None, subscriptionId=None, plan=None)
    assert verify(document(old), **trust()).subscription_id == ""


@pytest.mark.parametrize("now", [NOW, NOW.timestamp(), int(NOW.timestamp()), NOW.astimezone()], ids=repr)
def test_now_is_a_datetime_or_unix_seconds(now: Any) -> None:
    assert verify(document(), **trust(now=now)).vm_id == VM_ID


def test_now_is_this_machines_clock_by_default() -> None:
    now = datetime.now(UTC)
    stamps = {"createdOn": f"{now:%m/%d/%y %H:%M:%S} -0000", "expiresOn": f"{now + DAY:%m/%d/%y %H:%M:%S} -0000"}
    ours = authority("Fresh Root", begin=now - DAY, end=now + DAY)
    fresh = document(payload(timeStamp=stamps), leaf(ours, begin=now - DAY, end=now + DAY))
    assert verify(fresh, roots=ours.certificate).vm_id == VM_ID


@pytest.mark.parametrize(
    "form",
    [
        lambda issued: [issued.certificate],
        lambda issued: issued.certificate,
        lambda issued: issued.pem,
        lambda issued: issued.pem.decode(),
        lambda issued: issued.der,
        lambda issued: [issued.der],
        lambda issued: (pem for pem in [issued.pem]),
        lambda issued: authority("Unrelated CA").pem + issued.pem,
    ],
    ids=["list", "certificate", "pem", "pem text", "der", "list of der", "iterator", "bundle"],
)
def test_certificates_may_have_any_form(form: Callable[[Issued], Any]) -> None:
    assert verify(document(), roots=form(root()), intermediates=form(intermediate()), now=NOW).vm_id == VM_ID


def test_intermediates_may_have_any_order_and_contain_others() -> None:
    upper = authority("Upper CA", root())
    lower = authority("Lower CA", upper)
    others = [intermediate(), authority("Lower CA", own_key=key("somebody")), authority("Unrelated CA")]
    given = document(by=leaf(lower))
    for between in ([lower, upper], [upper, lower], [*others, upper, lower, root()], [lower, *others, upper, lower]):
        assert verify(given, **trust(intermediates=[issued.certificate for issued in between])).vm_id == VM_ID


def test_one_of_two_paths_may_have_expired() -> None:
    # Microsoft's issuing CAs have a certificate from DigiCert's root ("xsign") and one from Microsoft's own root.
    old_root, new_root = authority("Old Root"), authority("New Root")
    crossed = authority("Crossed CA", old_root, own_key=key("somebody"), end=NOW - DAY)
    direct = authority("Crossed CA", new_root, own_key=key("somebody"))
    given = document(by=leaf(direct))
    roots = [old_root.certificate, new_root.certificate]
    for between in ([crossed, direct], [direct, crossed]):
        assert verify(given, roots=roots, intermediates=[issued.der for issued in between], now=NOW).vm_id == VM_ID
    error = refusal(given, roots=roots, intermediates=crossed.der)
    assert error.reason == "intermediate_missing"
    assert "'Crossed CA' is neither in intermediates nor in roots (the one in intermediates expired" in str(error)


def test_a_root_may_be_trusted_by_itself_or_through_its_cross_certificate() -> None:
    # DigiCert Global Root G2 has also certified Microsoft TLS RSA Root G2.
    itself = authority("Young Root")
    crossed = authority("Young Root", root(), own_key=itself.key)
    lower = authority("Young CA", itself)
    given = document(by=leaf(lower))
    assert verify(given, roots=itself.certificate, intermediates=lower.certificate, now=NOW).vm_id
    assert verify(given, roots=root().certificate, intermediates=[lower.der, crossed.der], now=NOW).vm_id
    assert refusal(given, intermediates=lower.der).reason == "untrusted_chain"


def test_an_intermediate_may_be_the_root_of_trust() -> None:
    assert verify(document(), roots=intermediate().certificate, now=NOW).vm_id == VM_ID


def test_azures_roots_are_found_in_this_machines_trust_stores_by_name_and_key() -> None:
    names = {
        found.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
        for found in _roots.find_roots("public", [])
    }
    assert {"DigiCert Global Root G2", "Microsoft RSA Root Certificate Authority 2017"} <= names
    assert "DigiCert Global Root CA" not in names
    assert refusal(document(), roots=None).reason == "untrusted_chain"


def test_certifi_contains_the_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")
    assert len(_roots._stored_roots.__wrapped__("public")) >= 2


def test_a_certificate_with_a_roots_name_and_another_key_is_not_a_root(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = tmp_path / "store.pem"
    store.write_bytes(authority("DigiCert Global Root G2").pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")
    monkeypatch.setattr(certifi, "where", lambda: str(store))
    monkeypatch.setattr(_roots, "_stored_roots", _roots._stored_roots.__wrapped__)
    with pytest.raises(AttestationError, match="Give them as roots=") as raised:
        verify(document(), now=NOW)
    assert raised.value.reason == "no_roots"


#: The reason, the document, and the other arguments.
Refused = tuple[Reason, Callable[[], Any], dict[str, Any]]


def _member(name: str, value: Any) -> Callable[[], Any]:
    return lambda: document(payload(**{name: value}))


def _changed(part: bytes, by: bytes) -> Callable[[], Any]:
    def change() -> Any:
        whole = der()
        assert whole.count(part) == 1
        return wrapped(whole.replace(part, by))

    return change


def _broken_signature() -> Any:
    whole = bytearray(der())
    whole[-1] ^= 1
    return wrapped(bytes(whole))


def _broken_certificate() -> Any:
    # The last byte belongs to the signature of the certificate itself.
    data = signed_data()
    certificate = bytearray(signer().der)
    certificate[-1] ^= 1
    return wrapped(der().replace(signer().der, bytes(certificate))) if data else None


def _not_signed_data() -> Any:
    return wrapped(bytes(cms.ContentInfo({"content_type": "data", "content": b"x"}).dump()))


def _other_version(of: Callable[[Any], Any]) -> Callable[[], Any]:
    def make() -> Any:
        data = signed_data()
        of(data)["version"] = "v3"
        return wrapped(bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump(force=True)))

    return make


def _by_key_identifier() -> Any:
    data = signed_data()
    data["signer_infos"][0]["sid"] = cms.SignerIdentifier("subject_key_identifier", b"x")
    return wrapped(bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump(force=True)))


def _in_ber() -> Any:
    """The same values in BER: the outermost length has one octet more than DER allows."""
    whole = der()
    assert whole[:2] == b"\x30\x82"
    return wrapped(b"\x30\x83\x00" + whole[2:])


def _hidden_bytes() -> Any:
    """A NULL after the content, inside the explicit tag around it. The signed bytes are the same."""
    (info,) = parse_der(der())
    content = info.parts[1].parts[0].parts[2]
    content.parts[1].parts.append(Node(0x05))
    return wrapped(info.encode())


def _serial_zero() -> Any:
    (info,) = parse_der(der())
    for number in info.all():
        if number.tag == 0x02 and len(number.content) > 8:
            number.content = b"\0"
    return wrapped(info.encode())


def _without_content() -> Any:
    data = signed_data()
    data["encap_content_info"] = {"content_type": "data"}
    return wrapped(bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump(force=True)))


def _with_crl() -> Any:
    empty = x509.CertificateRevocationListBuilder().issuer_name(root().certificate.subject)
    signed = empty.last_update(NOW).next_update(NOW + DAY).sign(key("root"), hashes.SHA256())
    return document(crls=[crl.CertificateList.load(signed.public_bytes(Encoding.DER))])


def _other_root() -> Issued:
    return authority("Other Root")


def _odd_leaf(**options: Any) -> Callable[[], Any]:
    return lambda: document(by=leaf(intermediate(), **options))


def _below(**options: Any) -> Refused:
    """An issuing CA with something wrong about it."""
    wrong = authority("Wrong CA", root(), **options)
    return ("untrusted_chain", lambda: document(by=leaf(wrong)), {"intermediates": wrong.der})


def _cases() -> Iterator[tuple[str, Refused]]:
    small, elliptic = key("small", 1024), ec.generate_private_key(ec.SECP256R1())
    stamp = PAYLOAD["timeStamp"]
    yield "neither model nor object nor text", ("not_a_document", lambda: 5, {})
    yield "nothing", ("not_a_document", lambda: None, {})
    yield "no signature", ("not_a_document", lambda: {"encoding": "pkcs7"}, {})
    yield "no encoding", ("not_a_document", lambda: {"signature": document()["signature"]}, {})
    yield "signature not text", ("not_a_document", lambda: {"encoding": "pkcs7", "signature": 5}, {})
    yield "other encoding", ("not_a_document", lambda: {**document(), "encoding": "jws"}, {})
    yield "1 MB of noise", ("too_large", lambda: "A" * 1_000_000, {})
    yield "1 MB of JSON", ("too_large", lambda: json.dumps(document()) + " " * 1_000_000, {})
    yield "JSON text of other encoding", ("not_a_document", lambda: json.dumps({**document(), "encoding": "jws"}), {})
    yield "JSON text without signature", ("not_a_document", lambda: '{"encoding": "pkcs7"}', {})
    yield "JSON text that is cut off", ("not_a_document", lambda: json.dumps(document())[:-1], {})
    yield "JSON text nested too deeply", ("not_a_document", lambda: '{"a":' * 5000, {})
    yield "JSON text of a list", ("not_base64", lambda: json.dumps([document()]), {})
    yield "two line feeds", ("not_base64", lambda: document()["signature"] + "\n\n", {})
    yield "line feed first", ("not_base64", lambda: "\n" + document()["signature"], {})
    yield "space last", ("not_base64", lambda: document()["signature"] + " ", {})
    yield "not base64", ("not_base64", lambda: document()["signature"] + "!", {})
    yield "not ASCII", ("not_base64", lambda: "é" * 40, {})
    yield "line breaks", ("not_base64", lambda: base64.encodebytes(der()).decode(), {})
    yield "padding missing", ("not_base64", lambda: base64.b64encode(b"x").decode().rstrip("="), {})
    yield "empty", ("not_pkcs7", lambda: "", {})
    yield "text", ("not_pkcs7", lambda: wrapped(b"hello, I am not DER"), {})
    yield "cut off", ("not_pkcs7", lambda: wrapped(der()[:-1]), {})
    yield "a certificate", ("not_pkcs7", lambda: wrapped(signer().der), {})
    yield "other CMS", ("not_pkcs7", _not_signed_data, {})
    yield "trailing byte", ("trailing_bytes", lambda: wrapped(der() + b"\0"), {})
    yield "two documents", ("trailing_bytes", lambda: wrapped(der() + der()), {})
    yield "hidden bytes", ("unsupported_layout", _hidden_bytes, {})
    yield "BER", ("unsupported_layout", _in_ber, {})
    yield "no certificate", ("no_certificate", lambda: document(certificates=[]), {})
    yield (
        "two certificates",
        (
            "several_certificates",
            lambda: document(certificates=[signer(), intermediate()]),
            {},
        ),
    )
    yield "the same certificate twice", ("several_certificates", lambda: document(certificates=[signer()] * 2), {})
    yield "no signer", ("unsupported_layout", lambda: document(signers=0), {})
    yield "two signers", ("unsupported_layout", lambda: document(signers=2), {})
    yield "signed attributes", ("unsupported_layout", support.with_signed_attributes, {})
    yield "named by key identifier", ("unsupported_layout", _by_key_identifier, {})
    yield "nothing inside", ("unsupported_layout", _without_content, {})
    digest = algos.DigestAlgorithm({"algorithm": "sha256"})
    yield "no digest algorithm", ("unsupported_layout", lambda: document(digest_algorithms=[]), {})
    yield "two digest algorithms", ("unsupported_layout", lambda: document(digest_algorithms=[digest] * 2), {})
    yield "version 3", ("unsupported_layout", _other_version(lambda data: data), {})
    yield "signer's version 3", ("unsupported_layout", _other_version(lambda data: data["signer_infos"][0]), {})
    yield "revocation list", ("unsupported_layout", _with_crl, {})
    yield "SHA-1", ("unsupported_algorithm", lambda: document(digest="1.3.14.3.2.26"), {})
    yield "SHA-512", ("unsupported_algorithm", lambda: document(digest="2.16.840.1.101.3.4.2.3"), {})
    yield (
        "RSA-PSS",
        (
            "unsupported_algorithm",
            lambda: document(signature_algorithm="1.2.840.113549.1.1.10", null=False),
            {},
        ),
    )
    yield "unreadable certificate", ("bad_certificate", _changed(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09"), {})
    yield "serial number 0", ("bad_certificate", _serial_zero, {})
    yield "1024 bits", ("unsupported_algorithm", _odd_leaf(own_key=small), {})
    yield (
        "elliptic curve",
        (
            "unsupported_algorithm",
            lambda: document(by=leaf(intermediate(), own_key=elliptic), signature=b"x" * 64),
            {},
        ),
    )
    yield "another signer named", ("wrong_signer", lambda: document(named=intermediate()), {})
    yield "tampered content", ("wrong_content", _changed(VM_ID.encode(), VM_ID.replace("5", "6").encode()), {})
    yield "tampered signature", ("wrong_signature", _broken_signature, {})
    yield "empty signature", ("wrong_signature", lambda: document(signature=b""), {})
    yield (
        "signed with another key",
        (
            "wrong_signature",
            lambda: document(by=Issued(signer().certificate, key("somebody"))),
            {},
        ),
    )
    yield "common name next to a DNS name", ("wrong_name", _odd_leaf(dns=["evil.example"]), {})
    yield "foreign leaf", ("wrong_name", _odd_leaf(common="evil.example", dns=["evil.example"]), {})
    yield "nameless leaf", ("wrong_name", _odd_leaf(common=None, dns=[]), {})
    yield "for e-mail only", ("wrong_usage", _odd_leaf(usages=[ExtendedKeyUsageOID.EMAIL_PROTECTION]), {})
    yield "without extended usage", ("wrong_usage", _odd_leaf(usages=None), {})
    yield "leaf expired", ("certificate_expired", _odd_leaf(end=NOW - DAY), {})
    yield "leaf from tomorrow", ("certificate_not_yet_valid", _odd_leaf(begin=NOW + DAY), {})
    yield "leaf that is an authority", ("untrusted_chain", _odd_leaf(authority=True), {})
    yield "leaf that may not sign", ("untrusted_chain", _odd_leaf(key_usage=support.usage(key_agreement=True)), {})
    yield (
        "leaf that may certify",
        (
            "untrusted_chain",
            _odd_leaf(key_usage=support.usage(digital_signature=True, key_cert_sign=True)),
            {},
        ),
    )
    yield (
        "unknown critical extension",
        (
            "untrusted_chain",
            _odd_leaf(
                extra=[
                    x509.Extension(
                        x509.ObjectIdentifier("1.2.3.4"),
                        True,
                        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
                    )
                ]
            ),
            {},
        ),
    )
    yield "intermediate missing", ("intermediate_missing", document, {"intermediates": None})
    yield "other intermediates", ("intermediate_missing", document, {"intermediates": authority("Unrelated CA").der})
    yield "other root", ("untrusted_chain", document, {"roots": _other_root().der})
    yield (
        "root of the same name",
        ("untrusted_chain", document, {"roots": authority("Test Root", own_key=key("x")).der}),
    )
    yield "signed by itself", ("intermediate_missing", lambda: document(by=issue_itself()), {})
    yield "tampered certificate", ("untrusted_chain", _broken_certificate, {})
    expired_ca = authority("Late CA", root(), end=NOW - DAY)
    yield (
        "intermediate expired",
        (
            "intermediate_missing",
            lambda: document(by=leaf(expired_ca)),
            {"intermediates": expired_ca.der},
        ),
    )
    early_ca = authority("Early CA", root(), begin=NOW + DAY)
    yield (
        "intermediate from tomorrow",
        (
            "certificate_not_yet_valid",
            lambda: document(by=leaf(early_ca)),
            {"intermediates": early_ca.der},
        ),
    )
    late_root = authority("Late Root", end=NOW - DAY)
    yield "root expired", ("certificate_expired", lambda: document(by=leaf(late_root)), {"roots": late_root.der})
    yield "intermediate that is no authority", _below(authority=False)
    yield "intermediate without basic constraints", _below(authority=None)
    yield "intermediate that may not certify", _below(key_usage=support.usage(digital_signature=True))
    yield "intermediate for e-mail only", _below(usages=[ExtendedKeyUsageOID.EMAIL_PROTECTION])
    limits = x509.NameConstraints([x509.DNSName("example.com")], None)
    limited = {"extra": [x509.Extension(x509.NameConstraints.oid, True, limits)]}
    yield "intermediate for other names", _below(**limited)
    limited_ca = authority("Limited CA", root(), **limited)
    by_common_name = (lambda: document(by=leaf(limited_ca, dns=[])), {"intermediates": limited_ca.der})
    yield "intermediate for other common names", ("untrusted_chain", *by_common_name)
    short = authority("Short CA", root(), path_length=0)
    too_low = authority("Too Low CA", short)
    yield (
        "path too long",
        (
            "untrusted_chain",
            lambda: document(by=leaf(too_low)),
            {"intermediates": [short.der, too_low.der]},
        ),
    )
    yield "not JSON", ("payload_unreadable", lambda: document(b"<xml/>"), {})
    yield "not UTF-8", ("payload_unreadable", lambda: document(b"\xff\xfe\xfd"), {})
    yield "nested too deeply", ("payload_unreadable", lambda: document(b"[" * 5000), {})
    yield "a list", ("payload_unreadable", lambda: document(b'[["vmId", "x"]]'), {})
    yield "a text", ("payload_unreadable", lambda: document(b'"vmId"'), {})
    yield "plan not an object", ("payload_unreadable", _member("plan", "none"), {})
    yield "no vmId", ("payload_incomplete", _member("vmId", None), {})
    yield "empty vmId", ("payload_incomplete", _member("vmId", ""), {})
    yield "vmId not text", ("payload_incomplete", _member("vmId", 5), {})
    yield "no times", ("payload_incomplete", _member("timeStamp", None), {})
    yield "no end", ("payload_incomplete", _member("timeStamp", {"createdOn": stamp["createdOn"]}), {})
    for odd in ("2026-03-01T17:00:00Z", "03/01/26 17:00:00", "03/01/26 17:00:00 +0100", "02/31/26 17:00:00 -0000", 5):
        yield f"end {odd}", ("payload_incomplete", _member("timeStamp", {**stamp, "expiresOn": odd}), {})
    yield "odd begin", ("payload_incomplete", _member("timeStamp", {**stamp, "createdOn": "today"}), {})
    yield "wrong nonce", ("wrong_nonce", document, {"nonce": "0987654321"})
    yield "nonce in other case", ("wrong_nonce", _member("nonce", "Abc"), {"nonce": "abc"})
    yield "beginning of the nonce", ("wrong_nonce", document, {"nonce": NONCE[:-1]})
    yield "nonce not ASCII", ("wrong_nonce", document, {"nonce": "\ud800é"})
    yield "no nonce", ("wrong_nonce", _member("nonce", None), {"nonce": NONCE})
    yield "nonce not text", ("wrong_nonce", _member("nonce", 1234567890), {"nonce": NONCE})
    yield "expired", ("expired", document, {"now": NOW + timedelta(hours=6)})
    yield "expired this second", ("expired", document, {"now": datetime(2026, 3, 1, 17, tzinfo=UTC)})
    yield "from the future", ("not_yet_valid", document, {"now": NOW - timedelta(hours=2)})


def issue_itself() -> Issued:
    """A self-signed leaf, which anybody can make."""
    return issue(
        "metadata.azure.com",
        own_key=key("somebody"),
        authority=False,
        usages=support.SERVER,
        dns=["metadata.azure.com"],
    )


CASES = dict(_cases())


@pytest.mark.parametrize("case", CASES)
def test_a_document_is_refused_with_the_right_reason(case: str) -> None:
    reason, make, arguments = CASES[case]
    error = refusal(make(), **arguments)
    assert error.reason == reason, str(error)
    assert isinstance(error, ImdsError)


def test_every_reason_is_tested() -> None:
    assert {reason for reason, _, _ in CASES.values()} | {"no_roots"} == set(get_args(Reason))


def test_no_two_reasons_have_the_same_message() -> None:
    texts: dict[str, set[str]] = {}
    for reason, make, arguments in CASES.values():
        texts.setdefault(str(refusal(make(), **arguments)), set()).add(reason)
    assert all(len(reasons) == 1 for reasons in texts.values())


def test_every_reason_is_documented() -> None:
    page = (ROOT / "docs" / "attestation.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)) - {"reason"} == set(get_args(Reason))


def test_azures_clock_may_be_five_minutes_ahead() -> None:
    created = datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert verify(document(), **trust(now=created - timedelta(minutes=5))).vm_id == VM_ID
    assert refusal(document(), now=created - timedelta(minutes=5, seconds=1)).reason == "not_yet_valid"


def test_noise_is_refused_quickly() -> None:
    begun = time.process_time()
    for noise in ("A" * 1_000_000, {"encoding": "pkcs7", "signature": "MIIG" * 250_000}):
        assert refusal(noise).reason == "too_large"
    assert time.process_time() - begun < 0.5


CERTIFICATES = 'must be certificates: x509.Certificate, PEM ("-----BEGIN CERTIFICATE-----...") or DER'
INVALID = {
    "nonce": 'must be text such as "0123456789", or None',
    "now": "must be Unix time in seconds, or a datetime with a time zone: datetime.now(UTC)",
    "roots": CERTIFICATES,
    "intermediates": CERTIFICATES,
    "cloud": "must be one of 'public', 'usgov', 'china', 'germany'",
}


@pytest.mark.parametrize(
    ("parameter", "arguments"),
    [
        ("nonce", {"nonce": b"1234567890"}),
        ("nonce", {"nonce": ""}),
        ("now", {"now": "2026"}),
        ("now", {"now": datetime(2026, 3, 1)}),
        ("now", {"now": True}),
        ("now", {"now": 1e300}),
        ("now", {"now": float("nan")}),
        ("roots", {"roots": b"no certificate"}),
        ("roots", {"roots": 5}),
        ("roots", {"roots": [None]}),
        ("intermediates", {"intermediates": b"-----BEGIN CERTIFICATE-----"}),
        ("cloud", {"cloud": "mars"}),
        ("cloud", {"cloud": ["public"]}),
    ],
)
def test_an_invalid_argument_is_a_validation_error_that_names_it(parameter: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ImdsValidationError) as raised:
        verify(document(), **trust(**arguments))
    assert raised.value.parameter == parameter
    assert raised.value.problem == INVALID[parameter]
    assert str(raised.value) == f"attestation.verify: {parameter} {raised.value.problem}"


def test_an_empty_list_of_roots_is_invalid() -> None:
    with pytest.raises(ImdsValidationError, match=r"^attestation\.verify: roots must contain at least one") as raised:
        verify(document(), **trust(roots=[]))
    assert raised.value.parameter == "roots"


@pytest.mark.parametrize(
    "case", ["wrong nonce", "expired", "tampered content", "trailing byte", "intermediate missing"]
)
def test_no_error_holds_the_document(case: str) -> None:
    reason, make, arguments = CASES[case]
    given = make()
    error = refusal(given, **arguments)
    assert error.reason == reason
    for secret in (given["signature"], given["signature"][100:200], VM_ID):
        assert not find_secret(secret, error)
        assert secret not in f"{error} {error!r} {error.args} {vars(error)}"


def test_no_validation_error_holds_the_document() -> None:
    given = document()["signature"]
    with pytest.raises(ImdsValidationError) as raised:
        verify(given, **trust(cloud="mars"))
    assert not find_secret(given, raised.value)


def test_an_error_survives_pickling() -> None:
    error = refusal(document(), intermediates=None)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is AttestationError
    assert (str(again), again.reason, again.hint) == (str(error), "intermediate_missing", error.hint)


class Hosts:
    """Responses by URL, for both kinds of client, and the requested URLs."""

    def __init__(self, **pages: Any) -> None:
        self.pages = {AIA: httpx.Response(200, content=intermediate().der), **pages}
        self.requested: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requested.append(str(request.url))
        found = self.pages.get(str(request.url), httpx.Response(404))
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    def fetch(self, colour: Colour, given: Any, **options: Any) -> list[x509.Certificate]:
        transport = httpx.MockTransport(self.answer)
        if colour.name == "sync":
            return fetch_intermediates(given, transport=transport, **options)

        async def main() -> list[x509.Certificate]:
            return await afetch_intermediates(given, transport=transport, **options)

        return anyio.run(main, backend=colour.name)

    def refusal(self, colour: Colour, given: Any, **options: Any) -> AttestationError:
        with pytest.raises(AttestationError) as raised:
            self.fetch(colour, given, **options)
        return raised.value


def leading_to(*addresses: str, issuer: Issued | None = None) -> dict[str, str]:
    return document(by=leaf(issuer or intermediate(), addresses=addresses))


def test_the_issuer_is_fetched_and_completes_the_chain(colour: Colour) -> None:
    hosts = Hosts()
    given = leading_to(AIA)
    found = hosts.fetch(colour, given)
    assert found == [intermediate().certificate]
    assert hosts.requested == [AIA]
    assert verify(given, **trust(intermediates=found)).vm_id == VM_ID


def test_the_emulators_issuer_is_fetched(colour: Colour) -> None:
    with Emulator(clock=Clock(NOW, frozen=True)) as emulator:
        (issuer,) = emulator.attested_intermediates
        # The emulator's leaf contains its own address, which is not allowed.
        emulator.attested.issuer_url = AIA
        given = colour.run(lambda imds: imds.attested.get_document(), endpoint=emulator.endpoint)
        hosts = Hosts(**{AIA: httpx.Response(200, content=support.der_of(issuer))})
        assert hosts.fetch(colour, given) == [issuer]


def test_issuers_of_issuers_are_fetched_too(colour: Colour) -> None:
    upper_url = "http://caissuers.microsoft.com/upper.crt"
    upper = authority("Fetched Upper CA", root(), addresses=["http://cacerts.digicert.com/root.crt"])
    lower = authority("Fetched Lower CA", upper, addresses=[upper_url])
    hosts = Hosts(**{AIA: httpx.Response(200, content=lower.pem), upper_url: httpx.Response(200, content=upper.der)})
    given = leading_to(AIA, issuer=lower)
    found = hosts.fetch(colour, given)
    assert found == [lower.certificate, upper.certificate]
    assert hosts.requested == [AIA, upper_url], "requests to DigiCert's host are not allowed"
    assert verify(given, **trust(intermediates=found)).vm_id == VM_ID


def test_a_search_in_a_circle_ends() -> None:
    loop = [f"http://www.microsoft.com/{number}.crt" for number in range(8)]
    above: Issued | None = authority("Loop CA 8", root())
    steps: list[Issued] = []
    for number in reversed(range(8)):
        above = authority(f"Loop CA {number}", above, addresses=[loop[(number + 1) % 8]])
        steps.insert(0, above)
    hosts = Hosts(**{url: httpx.Response(200, content=step.der) for url, step in zip(loop, steps, strict=True)})
    found = hosts.fetch(COLOURS[0], leading_to(loop[0], issuer=steps[0]))
    assert len(found) == len(hosts.requested) == 4


@pytest.mark.parametrize(
    "first",
    [
        httpx.Response(404),
        httpx.Response(200, content=b"<html>not found</html>"),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"x" * 70_000),
        httpx.Response(301, headers={"Location": "http://127.0.0.1/x.crt"}),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(b"x" * 1_000_000)),
        httpx.ConnectTimeout("no way"),
        httpx.RemoteProtocolError("nonsense"),
        OSError("no network"),
    ],
    ids=["404", "a page", "nothing", "too large", "a redirect", "a bomb", "a timeout", "nonsense", "no network"],
)
def test_the_second_address_is_tried_if_the_first_does_not_return_the_issuer(colour: Colour, first: Any) -> None:
    hosts = Hosts(**{AIA: first, AIA_2: httpx.Response(200, content=intermediate().der)})
    assert hosts.fetch(colour, leading_to(AIA, AIA_2)) == [intermediate().certificate]
    assert hosts.requested == [AIA, AIA_2]


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        (httpx.Response(404, content=b"x"), "HTTP 404"),
        (httpx.Response(204), "HTTP 204"),
        (httpx.Response(200, content=b"x" * 70_000), "the body is too large"),
        (
            httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(b"x")),
            "the body has an encoding that was not requested",
        ),
        (httpx.ReadTimeout("slow"), "no complete answer in time"),
        (OSError("no network"), "OSError"),
    ],
    ids=["404", "204", "too large", "encoded", "timeout", "no network"],
)
def test_the_message_contains_what_was_wrong_at_each_address(colour: Colour, response: Any, problem: str) -> None:
    error = Hosts(**{AIA: response, AIA_2: response}).refusal(colour, leading_to(AIA, AIA_2))
    assert error.reason == "intermediate_missing"
    assert f"could not be downloaded: {AIA}: {problem}, {AIA_2}: {problem}. Pass the certificate" in str(error)
    assert (error.attempts, error.url, error.retryable) == (2, AIA_2, True)


def test_a_search_ends_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(_intermediates.time, "monotonic", lambda: now)
    search = _intermediates.IssuerSearch(
        parse_certificate(leaf(intermediate(), addresses=[AIA, AIA_2]).certificate), "public", until=101.0
    )
    assert search.next_request()
    now = 101.0
    search.handle_outcome(httpx.ReadTimeout("slow"))
    assert search.next_request() is None
    with pytest.raises(AttestationError, match=re.escape(f"{AIA}: no complete answer in time, {AIA_2}: no time left")):
        search.issuers()


def test_a_certificate_that_did_not_sign_the_leaf_is_ignored(colour: Colour) -> None:
    impostor = authority("Test Issuing CA", own_key=key("somebody"))
    error = Hosts(**{AIA: httpx.Response(200, content=impostor.der)}).refusal(colour, leading_to(AIA))
    assert error.reason == "intermediate_missing"
    assert f"{AIA}: no certificate of its issuer" in str(error)
    assert (error.attempts, error.url, error.retryable) == (1, AIA, True)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/x.crt",
        "http://169.254.169.254/metadata/instance",
        "http://emulator.test/x.crt",
        "http://cacerts.digicert.com/x.crt",
        "http://www.microsoft.com.evil.example/x.crt",
        "http://www.microsoft.com@evil.example/x.crt",
        "http://user:secret@www.microsoft.com/x.crt",
        "http://www.microsoft.com:8080/x.crt",
        "https://www.microsoft.com/x.crt",
        "ftp://www.microsoft.com/x.crt",
        "file:///etc/passwd",
        "//www.microsoft.com/x.crt",
        "http://[www.microsoft.com/x.crt",
        "http://www.microsoft.com\\@evil.example/x.crt",
        "http://evil.example/www.microsoft.com",
        "",
    ],
)
def test_no_other_address_is_requested(colour: Colour, address: str) -> None:
    hosts = Hosts(**{address: httpx.Response(200, content=intermediate().der)})
    error = hosts.refusal(colour, leading_to(address))
    assert not hosts.requested
    assert error.reason == "intermediate_missing"
    assert "caissuers.microsoft.com or www.microsoft.com" in str(error)
    assert not error.retryable


CHINA = ("cacerts.digicert.cn", "cacerts.digicert.com", "cacerts.geotrust.com")
CLOUD_HOSTS: dict[Cloud, set[str]] = {
    "public": {"caissuers.microsoft.com", "www.microsoft.com"},
    "usgov": {"caissuers.microsoft.com", "www.microsoft.com"},
    "china": {"caissuers.microsoft.com", "www.microsoft.com", *CHINA},
    "germany": {"caissuers.microsoft.com", "www.microsoft.com"},
}


@pytest.mark.parametrize("host", [*sorted(CLOUD_HOSTS["china"]), "crl.digicert.cn", "digicert.cn", "microsoft.com"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_its_own_hosts(colour: Colour, cloud: Cloud, host: str) -> None:
    url = f"http://{host}/x.crt"
    hosts = Hosts(**{url: httpx.Response(200, content=intermediate().der)})
    given = document(by=leaf(intermediate(), dns=[CLOUDS[cloud][1]], addresses=[url]))
    if host in CLOUD_HOSTS[cloud]:
        assert hosts.fetch(colour, given, cloud=cloud) == [intermediate().certificate]
        assert hosts.requested == [url]
    else:
        error = hosts.refusal(colour, given, cloud=cloud)
        assert f"no address of its issuer's at {' or '.join(sorted(CLOUD_HOSTS[cloud]))}" in str(error)
        assert hosts.requested == []


def test_the_page_lists_the_hosts() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert {host for hosts in CLOUD_HOSTS.values() for host in hosts} <= set(re.findall(r"`([\w.]+)`", page))


def test_a_leaf_without_address_causes_no_request(colour: Colour) -> None:
    assert Hosts().refusal(colour, document()).reason == "intermediate_missing"


@pytest.mark.parametrize(
    "case", ["tampered content", "tampered signature", "not base64", "foreign leaf", "two signers"]
)
def test_a_document_that_is_refused_causes_no_request(colour: Colour, case: str) -> None:
    hosts = Hosts()
    reason, make, _ = CASES[case]
    assert hosts.refusal(colour, make()).reason == reason
    assert not hosts.requested


def test_fetch_intermediates_checks_the_cloud(colour: Colour) -> None:
    assert Hosts().refusal(colour, leading_to(AIA), cloud="china").reason == "wrong_name"


@pytest.mark.parametrize("deadline", [0, -1, "1", None, True, float("nan"), float("inf")])
def test_a_deadline_is_a_number_of_seconds(colour: Colour, deadline: Any) -> None:
    with pytest.raises(ImdsValidationError) as raised:
        Hosts().fetch(colour, leading_to(AIA), deadline=deadline)
    assert raised.value.parameter == "deadline"
    function = "fetch_intermediates" if colour.name == "sync" else "afetch_intermediates"
    assert str(raised.value) == f"attestation.{function}: deadline must be a positive number of seconds, such as 10"


def test_a_transport_is_an_httpx_transport_of_the_right_kind() -> None:
    with pytest.raises(ImdsValidationError, match="an httpx"):
        fetch_intermediates(leading_to(AIA), transport=httpx.AsyncHTTPTransport())  # type: ignore[arg-type]


class Rerouted:
    """Sends every request to one server on this machine, over real sockets."""

    def __init__(self, url: str) -> None:
        self.url = httpx.URL(url)
        self.sync = httpx.HTTPTransport()
        self.asynchronous = httpx.AsyncHTTPTransport()

    def fetch(self, colour: Colour, given: Any, **options: Any) -> Any:
        outer = self

        class Sync(httpx.BaseTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                request.url = outer.url
                return outer.sync.handle_request(request)

        class Async(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                request.url = outer.url
                return await outer.asynchronous.handle_async_request(request)

        if colour.name == "sync":
            with self.sync:
                return fetch_intermediates(given, transport=Sync(), **options)

        async def main() -> list[x509.Certificate]:
            async with self.asynchronous:
                return await afetch_intermediates(given, transport=Async(), **options)

        return anyio.run(main, backend=colour.name)


def test_a_request_contains_no_cookie_and_no_credentials_and_ignores_proxies(
    colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    wire = Wire(reply(200, intermediate().der, "Content-Type: application/octet-stream", "Set-Cookie: a=b"))
    with raw_server(wire) as url:
        assert Rerouted(url).fetch(colour, leading_to(AIA)) == [intermediate().certificate]
    assert wire.header("host") == "www.microsoft.com"
    assert wire.header("cookie") is None
    assert wire.header("authorization") is None


def test_a_server_that_sends_slowly_does_not_delay_a_fetch_beyond_its_deadline(colour: Colour) -> None:
    def dribble(connection: Any) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        for _ in range(600):
            connection.sendall(b"x")
            time.sleep(0.02)

    with raw_server(dribble) as url:
        begun = time.monotonic()
        with pytest.raises(AttestationError) as raised:
            Rerouted(url).fetch(colour, leading_to(AIA), deadline=0.3)
    assert raised.value.reason == "intermediate_missing"
    assert time.monotonic() - begun < 3
    assert not find_secret(VM_ID, raised.value)


OPENSSL = shutil.which("openssl")


def openssl_verify(given: Any, folder: Path, **arguments: Any) -> bytes | None:
    """The content, or None if `openssl smime -verify` refuses the document."""
    merged = trust(**arguments)
    files = {"document.der": base64.b64decode(given["signature"])}
    certificates: list[bytes] = []
    for some in (merged["roots"], merged["intermediates"] or []):
        for given_certificate in some if isinstance(some, list) else [some]:
            is_der = isinstance(given_certificate, bytes)
            loaded = x509.load_der_x509_certificate(given_certificate) if is_der else given_certificate
            certificates.append(loaded.public_bytes(Encoding.PEM))
    # Without -partial_chain, OpenSSL trusts only the self-signed certificates in this file.
    files["certificates.pem"] = b"".join(certificates)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    now = str(int(merged["now"].timestamp()))
    done = subprocess.run(
        f"{OPENSSL} smime -verify -inform DER -in document.der -CAfile certificates.pem -no-CApath -no-CAstore "
        f"-purpose sslserver -verify_hostname {merged.get('host', 'metadata.azure.com')} -attime {now}".split(),
        cwd=folder,
        capture_output=True,
        timeout=30,
    )
    return done.stdout if done.returncode == 0 else None


#: The cases that OpenSSL refuses, too. It does not check the base64 and JSON around a document, the number of
#: certificates and signers, the algorithms and the content.
REFUSED_BY_OPENSSL = [
    "no certificate",
    "no signer",
    "hidden bytes",
    "cut off",
    "text",
    "unreadable certificate",
    "another signer named",
    "tampered content",
    "tampered signature",
    "empty signature",
    "signed with another key",
    "common name next to a DNS name",
    "foreign leaf",
    "for e-mail only",
    "leaf expired",
    "leaf from tomorrow",
    "intermediate missing",
    "other intermediates",
    "other root",
    "root of the same name",
    "signed by itself",
    "tampered certificate",
    "intermediate expired",
    "intermediate from tomorrow",
    "root expired",
    "intermediate that is no authority",
    "intermediate that may not certify",
    "intermediate for e-mail only",
    "intermediate for other names",
    "intermediate for other common names",
    "path too long",
]

VALID: dict[str, Callable[[], Any]] = {
    "live digest": document,
    "standard digest": lambda: document(digest=SHA256),
    "signature with digest": lambda: document(signature_algorithm=SHA256_WITH_RSA),
    "without parameters": lambda: document(null=False),
    "by common name": lambda: document(by=leaf(intermediate(), dns=[])),
    "below the domain": lambda: document(by=leaf(intermediate(), dns=["metadata.azure.com", "x.metadata.azure.com"])),
}


@pytest.mark.skipif(OPENSSL is None, reason="this machine has no openssl command")
class TestAgainstOpenssl:
    @pytest.mark.parametrize("case", VALID)
    def test_it_accepts_the_same_documents_with_the_same_content(self, case: str, tmp_path: Path) -> None:
        given = VALID[case]()
        content = openssl_verify(given, tmp_path)
        assert content is not None
        assert json.loads(content) == verify(given, **trust()).to_dict()

    @pytest.mark.parametrize("case", REFUSED_BY_OPENSSL)
    def test_it_refuses_the_same_documents(self, case: str, tmp_path: Path) -> None:
        reason, make, arguments = CASES[case]
        given = make()
        assert openssl_verify(given, tmp_path, **arguments) is None
        assert refusal(given, **arguments).reason == reason

    @pytest.mark.parametrize("digest_oid", ["observed", "strict"])
    def test_it_accepts_the_emulators_documents(self, digest_oid: Any, tmp_path: Path) -> None:
        emulator = Emulator(attested_digest_oid=digest_oid, clock=Clock(NOW, frozen=True))
        given = emulator.attested.build_document("2023-07-01", NONCE)
        trusted = {"roots": emulator.attested_roots, "intermediates": emulator.attested_intermediates, "now": NOW}
        content = openssl_verify(given, tmp_path, **trusted)
        assert content is not None
        assert json.loads(content) == verify(given, nonce=NONCE, **trusted).to_dict()

    def test_it_accepts_the_reference_example(self, tmp_path: Path) -> None:
        given = example("attested-document")
        roots = pkcs7.load_der_pkcs7_certificates(base64.b64decode(given["signature"]))
        trusted: dict[str, Any] = {"roots": roots, "intermediates": None, "now": datetime(2024, 1, 2, 4, tzinfo=UTC)}
        content = openssl_verify(given, tmp_path, **trusted)
        assert content is not None
        assert json.loads(content) == verify(given, **trusted).to_dict() == example("attested-payload")


@pytest.mark.parametrize("missing", ["cryptography", "asn1crypto"])
def test_without_the_extra_the_import_error_names_what_to_install(missing: str) -> None:
    done = python(f"import sys; sys.modules[{missing!r}] = None; import azure_imds.attestation")
    assert done.returncode == 1
    assert f"ImportError: azure_imds.attestation needs {missing}" in done.stderr
    assert "pip install 'azure-imds[attestation]'" in done.stderr


def test_another_import_error_is_not_reported_as_a_missing_extra() -> None:
    done = python("import sys; sys.modules['attrs'] = None; import azure_imds.attestation")
    assert "pip install" not in done.stderr


def test_verifying_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket", None)
    assert refusal(leading_to(AIA), intermediates=None).reason == "intermediate_missing"


PAGE = ROOT / "docs" / "attestation.md"


def test_the_examples_of_the_page_run_and_print_what_it_shows() -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3
    with Emulator() as emulator:
        emulator.attested.issuer_url = AIA
        stage = f"""
import functools, httpx
from azure_imds import attestation
certificate = {support.der_of(emulator.attested_intermediates[0])!r}
root = {support.der_of(emulator.attested_roots[0])!r}
transport = httpx.MockTransport(lambda request: httpx.Response(200, content=certificate))
attestation.fetch_intermediates = functools.partial(attestation.fetch_intermediates, transport=transport)
attestation.afetch_intermediates = functools.partial(attestation.afetch_intermediates, transport=transport)
attestation.verify = functools.partial(attestation.verify, roots=root)
"""
        done = python(stage + "\n".join(blocks), **emulator.environment)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    expected = re.findall(r"# prints: (.+)", page)
    assert expected
    for line in expected:
        assert line in done.stdout
