"""One run of a command: its client, its output, and the message and exit status if it fails."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from ..errors import ImdsError, ImdsValidationError
from . import progress
from .exits import Exit, choose_status
from .operations import explain_absence
from .output import View, print_result
from .settings import NEWEST, Output, Settings
from .usage import UsageError, print_message, wrap_message
from .values import PathNotFoundError

if TYPE_CHECKING:
    from .._client.client import ImdsClient


class Session:
    """What a command works with.

    Attributes:
        settings: the options of every command.
    """

    def __init__(self, settings: Settings, command: Any) -> None:
        self.settings = settings
        self._command = command

    @property
    def names(self) -> dict[str, str]:
        """The options and arguments as users type them; see `messages.read_option_names`."""
        from .messages import read_option_names

        return read_option_names(self._command)

    @property
    def api_version(self) -> str | None:
        """The version to request. None if the client selects it."""
        return None if self.settings.api_version == NEWEST else self.settings.api_version

    @contextmanager
    def open_client(self) -> Generator[ImdsClient]:
        """A client with the caller's settings. While it is used, a terminal shows that the command waits."""
        from .._client.client import ImdsClient

        settings = self.settings
        newest = NEWEST if settings.api_version == NEWEST else None
        with (
            ImdsClient(settings.endpoint, deadline=settings.deadline, api_version=newest) as imds,
            self.show_waiting(),
        ):
            yield imds

    def show_waiting(self, text: str = "waiting for IMDS") -> AbstractContextManager[None]:
        """Shows on a terminal that the command waits."""
        return progress.show_waiting(text, silent=self.settings.verbose)

    def show(self, value: Any, view: View, *, reveal: bool = False, output: Output | None = None) -> None:
        """Prints the result; see `output.print_result`."""
        settings = replace(self.settings, output=output) if output else self.settings
        print_result(value, settings, view, reveal=reveal)

    def run(self, action: Callable[[], object]) -> None:
        """Runs a command.

        Raises:
            SystemExit: the command failed; the message is on stderr.
            UsageError: what the user typed is wrong. `entry` prints the message, with the usage of the command.
        """
        try:
            with progress.show_log(self.settings.verbose):
                action()
            sys.stdout.flush()
        except (UsageError, typer.Exit):
            raise
        except KeyboardInterrupt:
            raise SystemExit(Exit.INTERRUPTED) from None
        except BrokenPipeError:
            raise SystemExit(discard_output()) from None
        except ImdsError as error:
            from .messages import describe_error

            text = describe_error(error, self.names)
            if isinstance(error, ImdsValidationError) and error.parameter in self.names:
                raise UsageError(text) from None
            print_error(text)
            raise SystemExit(choose_status(error)) from None
        except OSError as error:
            raise SystemExit(report_unwritable(error)) from None
        except PathNotFoundError as error:
            print_error(str(error))
            raise SystemExit(error.status) from None
        except Exception as error:
            if absence := explain_absence(self._command.name or "", optional=True):
                print_error(absence)
                raise SystemExit(Exit.USAGE) from None
            if isinstance(error, ImportError):  # the message names the missing extra
                print_error(str(error))
                raise SystemExit(Exit.USAGE) from None
            if self.settings.verbose:
                traceback.print_exc()
            print_error(f"internal error, {type(error).__name__}. To see the traceback, use --verbose.")
            raise SystemExit(Exit.SOFTWARE) from None


def print_error(text: str) -> None:
    """Prints an error message on stderr."""
    print_message(wrap_message(f"azure-imds: {text}"))


def report_unwritable(error: OSError) -> Exit:
    """Says that the output cannot be written. Commands read no files that typer has not opened before."""
    print_error(f"cannot write: {error.strerror or error}")
    discard_output()
    return Exit.IOERR


def discard_output() -> Exit:
    """Sends further output to the null device: the pipe is closed, and the interpreter flushes stdout when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.CLOSED
