"""The command of an operation, built from the generated data: its options, its help, and what it does."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from inspect import Parameter
from typing import Annotated, Any

import typer
from typer import Option

from azure_imds_api.api import Operation
from azure_imds_api.descriptions import DESCRIPTIONS, Description

from .._client.validation import invalid, value_problems
from ..errors import ImdsValidationError
from .application import JSON_VIEW, add_newest, make_run
from .arguments import (
    describe_limits,
    describe_type,
    get_type,
    list_values,
    make_example,
    parse_value,
    spell_options,
)
from .examples import break_command
from .messages import ARGUMENT, fold_name, split_error, use_option_names
from .operations import find_operation
from .pages import Page
from .resources import Cloud, check_request, list_resources, parse_resource, resolve_resource
from .session import Session, print_error
from .settings import OPTIONS, Output, spell_option
from .values import format_leaf, is_list, is_object


@lru_cache
def build_command(name: str) -> Any:
    """The command of an operation."""
    operation, description = find_operation(name), DESCRIPTIONS[name]
    options = spell_options(description.arguments)
    parameters = [_make_parameter(operation, argument, options) for argument in options if argument != "api_version"]
    if "--raw" not in options.values():
        raw = Annotated[bool, Option("--raw", help="Print secrets in a terminal too.")]
        parameters.append(Parameter("raw", Parameter.KEYWORD_ONLY, default=False, annotation=raw))
    if _list_resource_arguments(operation) and "--cloud" not in options.values():
        parameters.append(Parameter("cloud", Parameter.KEYWORD_ONLY, default=None, annotation=Cloud))
    own = {spelled for argument, spelled in options.items() if argument != "api_version"}
    has_version = "api_version" in options
    common = [o for o in OPTIONS if spell_option(o) not in own and (o != "api_version" or has_version)]
    run = make_run(
        f"call {name}",
        partial(_run, operation),
        parameters,
        common,
        [] if has_version else ["api_version"],
    )
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(
        name,
        cls=_OperationCommand,
        help=_describe(operation, description, options),
        short_help=summarize(description),
        context_settings={"token_normalize_func": _make_normalizer(operation, options, common)},
    )(run)
    command = typer.main.get_command(alone)
    command.examples = (_make_command_line(operation, options),)  # type: ignore[attr-defined]
    return command


class _OperationCommand(Page):
    """The command of an operation."""

    examples: tuple[str, ...]

    def describe(self) -> None:
        arguments = DESCRIPTIONS[self.name or ""].arguments
        parameters: list[Any] = [parameter for parameter in self.params if parameter.name == "api_version"]
        for parameter in parameters:
            parameter.help = add_newest(
                "api_version", use_option_names(arguments["api_version"], spell_options(arguments))
            )


def _make_command_line(operation: Operation[Any], options: Mapping[str, str]) -> str:
    """A call of the operation with the options that it requires."""
    words = ["azure-imds", "call", operation.name]
    for argument in operation.required:
        words += [options[argument], format_leaf(make_example(operation.rules.get(argument, {})))]
    return break_command(words)


def _make_normalizer(operation: Operation[Any], options: dict[str, str], common: Iterable[str]) -> Callable[[str], str]:
    """Finds an option by its name in the specification, and in other spellings: `clientId`, `client_id`."""
    exact = {option.lstrip("-") for option in (*options.values(), *map(spell_option, common))}
    names = {operation.rules[argument]["name"]: option for argument, option in options.items()}
    folded = {fold_name(name): option.lstrip("-") for name, option in (*names.items(), *options.items())}
    return lambda typed: typed if typed in exact else folded.get(fold_name(typed), typed)


def _make_parameter(operation: Operation[Any], argument: str, options: dict[str, str]) -> Parameter:
    rule = operation.rules.get(argument, {})
    text = use_option_names(DESCRIPTIONS[operation.name].arguments[argument], options)
    names = "A name such as vault is accepted too: see `azure-imds token --list`." if rule.get("resource") else ""
    parts = [text, names, describe_limits(rule), "[required]" if argument in operation.required else ""]
    values = list_resources() if names else list_values(rule)
    option: Any = Option(
        options[argument],
        parser=parse_resource if names else None,
        metavar=describe_type(rule),
        help=" ".join(filter(None, parts)),
        autocompletion=(lambda: values) if values else None,
        show_default=False,
    )
    kind: Any = list[str] | None if get_type(rule) == "array" else str | None
    return Parameter(f"{ARGUMENT}{argument}", Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _describe(operation: Operation[Any], description: Description, options: dict[str, str]) -> str:
    """The help of a command: what the specification says about its operation."""
    groups = [", ".join(options[name] for name in group if name in options) for group in operation.exclusive]
    parts = [
        f"{description.summary or operation.name}.",
        description.deprecated and f"{description.deprecated.rstrip('.')}.",
        description.description,
        *(f"Pass at most one of {group}." for group in groups),
        f"{operation.method} {operation.path}, operationId {operation.id}.",
    ]
    return use_option_names("\n\n".join(filter(None, parts)), options)


def summarize(description: Description) -> str:
    """The operation in a line of a list."""
    return f"{description.summary}{' (deprecated)' if description.deprecated else ''}"


def _list_resource_arguments(operation: Operation[Any]) -> list[str]:
    return [argument for argument, rule in operation.rules.items() if rule.get("resource")]


def _run(
    operation: Operation[Any], session: Session, *, raw: bool = False, cloud: str | None = None, **given: Any
) -> None:
    arguments = _parse_arguments(operation, session, given)
    tag, _, method = operation.name.partition(".")
    with session.open_client() as imds, _show_warnings(session):
        names = arguments.keys() & _list_resource_arguments(operation)
        if names:
            check_request(operation, arguments, imds)
        for argument in names:
            arguments[argument] = resolve_resource(arguments[argument], cloud, imds)
        try:
            result = to_json(getattr(getattr(imds, tag), method)(**arguments))
        except ImdsValidationError as error:
            rule = operation.rules.get(error.parameter, {})
            if get_type(rule) != "object" or "for example" in error.problem or "must look like" in error.problem:
                raise
            problem = split_error(error, session.names)[0]
            text = f"{problem}, for example {format_leaf(make_example(rule))}"
            raise ImdsValidationError(text, parameter=error.parameter) from None
    if result is not None or session.settings.output is Output.json:
        session.show(result, JSON_VIEW, reveal=raw)


def _parse_arguments(operation: Operation[Any], session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the operation by Python name.

    Raises:
        ImdsValidationError: a required argument is missing, or a text does not have the type of its argument.
    """
    texts = {name.removeprefix(ARGUMENT): text for name, text in given.items() if text not in (None, [])}
    if session.api_version:
        texts["api_version"] = session.api_version
    rules = {argument: operation.rules.get(argument, {}) for argument in texts}
    for argument in operation.required:
        if argument not in texts:
            example = format_leaf(make_example(operation.rules.get(argument, {})))
            raise invalid(argument, f"is required, for example {example}")
    # A body comes last, so that standard input is not read if another argument is wrong. The client checks all again.
    bodies = [argument for argument in texts if get_type(rules[argument]) == "object"]
    values = {name: parse_value(name, rules[name], text) for name, text in texts.items() if name not in bodies}
    for argument in values if bodies else ():
        for _, problem in value_problems(rules[argument], values[argument]):
            raise invalid(argument, problem)
    return values | {argument: parse_value(argument, rules[argument], texts[argument]) for argument in bodies}


@contextmanager
def _show_warnings(session: Session) -> Generator[None]:
    """Writes warnings to stderr, such as one about a deprecated operation. Python would hide them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DeprecationWarning)
        try:
            yield
        finally:
            for warning in caught:
                subject, *rest = str(warning.message).split(" ", 1)
                text = " ".join([session.names.get(subject, subject), *rest])
                print_error(f"warning: {use_option_names(text, session.names)}")


def to_json(result: Any) -> Any:
    """What a method of the client returns, as JSON values."""
    if hasattr(result, "to_dict"):
        return result.to_dict()
    if is_list(result):
        return [to_json(item) for item in result]
    return result if is_object(result) or isinstance(result, (bool, int, float, type(None))) else str(result)
