"""One run of a command: its client, its output, and the words and status of its end."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from ..errors import ImdsError
from . import progress
from .exits import Exit, status_of
from .output import View, emit
from .settings import Output, Settings
from .values import NothingThere

if TYPE_CHECKING:
    from .._client.client import ImdsClient


class Session:
    """What a command works with."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @contextmanager
    def client(self) -> Generator[ImdsClient]:
        """A client as the caller asked for it; what takes long inside is told on a terminal."""
        from .._client.client import ImdsClient

        settings = self.settings
        with ImdsClient(settings.endpoint, deadline=settings.deadline) as imds, self.waiting():
            yield imds

    def waiting(self, text: str = "waiting for IMDS") -> AbstractContextManager[None]:
        """Tells a terminal what takes long."""
        return progress.waiting(text, silent=self.settings.verbose)

    def show(self, value: Any, view: View, *, reveal: bool = False, output: Output | None = None) -> None:
        """Prints the result; see `output.emit`."""
        settings = replace(self.settings, output=output) if output else self.settings
        emit(value, settings, view, reveal=reveal)

    def run(self, action: Callable[[], object]) -> None:
        """Carries a command out.

        Raises:
            SystemExit: it did not end well; why is on stderr.
        """
        try:
            with progress.told(self.settings.verbose):
                action()
            sys.stdout.flush()
        except (typer.BadParameter, typer.Exit):
            raise
        except KeyboardInterrupt:
            raise SystemExit(Exit.INTERRUPTED) from None
        except BrokenPipeError:
            raise SystemExit(silenced()) from None
        except ImdsError as error:
            complain(told(error))
            raise SystemExit(status_of(error)) from None
        except NothingThere as error:
            complain(str(error))
            raise SystemExit(error.status) from None
        except ImportError as error:  # of an extra; it says which
            complain(str(error))
            raise SystemExit(Exit.USAGE) from None
        except Exception as error:
            if self.settings.verbose:
                traceback.print_exc()
            complain(f"a mistake in this program, {type(error).__name__}. --verbose shows where.")
            raise SystemExit(Exit.SOFTWARE) from None


def told(error: ImdsError) -> str:
    """An error in one paragraph."""
    text = str(error)
    return text if not error.hint or error.hint in text else f"{text}. {error.hint}"


def complain(text: str) -> None:
    """Says on stderr what went wrong."""
    print(f"azure-imds: {text}", file=sys.stderr)


def silenced() -> Exit:
    """Ends all output, as nobody reads it any more: the interpreter would complain when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.CLOSED
