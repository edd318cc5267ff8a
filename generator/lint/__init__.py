"""The lint of openapi.yaml: refuses what is invalid, what the generator handles wrongly without a warning, and what
nothing would enforce.

A rule is a function that yields findings. `RULES` lists them. The rules describe openapi-python-client 0.29.1, and each
was observed by running it. The trial of the generated package (trial.py) finds problems that no rule covers.
"""

from __future__ import annotations

from collections.abc import Callable

from ..specification import Findings, Specification, SpecificationError
from . import absence, document, hosts, isolation, names, operations, parameters, schemas, texts, validity

RULES: list[Callable[[Specification], Findings]] = [
    operations.operation_ids,
    operations.tags,
    operations.paths,
    operations.responses,
    parameters.parameters,
    parameters.examples,
    parameters.request_bodies,
    document.contents,
    document.unread,
    schemas.schemas,
    names.models,
    absence.absence,
    hosts.servers,
    hosts.stand_ins,
    document.security,
    document.extensions,
]


def check(specification: Specification) -> None:
    """Raises SpecificationError with all findings. A stage runs only if the stages before it found nothing."""
    for stage in STAGES:
        findings = set(stage(specification))
        if findings:
            raise SpecificationError(sorted(findings))


def _texts(specification: Specification) -> Findings:
    yield from texts.texts(specification)
    yield from texts.urls(specification)


def _rules(specification: Specification) -> Findings:
    for rule in RULES:
        yield from rule(specification)


#: The stages in their order. The first two make the document safe to validate, and its texts safe to show.
STAGES: list[Callable[[Specification], Findings]] = [
    isolation.isolation,
    _texts,
    *validity.STAGES,
    _rules,
    validity.standard,
]
