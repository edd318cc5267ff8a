"""The value of `--query`: a path, such as `compute/location`, or an expression in JMESPath (jmespath.org).

It is a path if it is a single name or index, or has a `/` and none of the characters that only expressions need.
"""

from __future__ import annotations

import re
from typing import Any

from typer import BadParameter

from .suggestions import suggest
from .values import PathNotFoundError, find_part

_NAME = re.compile(r"[\w-]+")
_EXPRESSION = re.compile(r"[\[\](){}|'\"`*?&@]")


def is_path(query: str) -> bool:
    """Whether a query is a path."""
    return bool(_NAME.fullmatch(query)) or ("/" in query and not _EXPRESSION.search(query))


def parse_query(text: str) -> str:
    """A query, checked.

    Raises:
        BadParameter: it is not a path, and not an expression.
    """
    if text and not is_path(text):
        _compile(text)
    return text


def select(value: Any, query: str) -> Any:
    """The part of a result that a query selects.

    Raises:
        PathNotFoundError: it selects nothing.
    """
    if is_path(query):
        return find_part(value, query)
    try:
        found = _compile(query).search(value)
    except Exception as error:
        # The message of the error itself may contain a value, and so a secret.
        raise PathNotFoundError(f"--query {query}: {_explain(error)}") from None
    if found is None:
        raise PathNotFoundError(f"--query {query}: selects nothing of the result")
    return found


def _explain(error: Exception) -> str:
    function, actual = getattr(error, "function_name", ""), getattr(error, "actual_type", "")
    return f"{function}() does not support a value of type {actual}" if function and actual else "cannot be evaluated"


def _compile(text: str) -> Any:
    try:
        import jmespath
        from jmespath.exceptions import ArityError, JMESPathError, ParseError, UnknownFunctionError
        from jmespath.functions import Functions
    except ModuleNotFoundError as error:
        raise BadParameter(f"{text!r} needs {error.name}: pip install 'azure-imds[cli]'") from None
    example = "for example compute/location, or the JMESPath compute.tagsList[].name"
    try:
        expression = jmespath.compile(text)
    except ParseError as error:
        place = error.lex_position + 1
        raise BadParameter(f"{text!r} is not a path and not JMESPath at character {place}, {example}") from None
    except (JMESPathError, ValueError, RecursionError):
        raise BadParameter(f"{text!r} is not a path and not JMESPath, {example}") from None
    try:
        expression.search(None)
    except UnknownFunctionError as error:
        name = re.sub(r"^.*: |\(\)$", "", str(error))
        known: Any = getattr(Functions, "FUNCTION_TABLE", ())
        raise BadParameter(f"{text!r} is not JMESPath: {name}() is not a function.{suggest(name, known)}") from None
    except ArityError as error:
        raise BadParameter(f"{text!r} is not JMESPath: {error}") from None
    except Exception:  # there is no result yet
        pass
    return expression
