"""Documents from elsewhere: files and URLs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from generator import reader

from .problem import Problem

#: Maximum number of redirects that a URL may lead to.
_MAX_REDIRECTS = 5

#: Maximum time for a download, redirects included.
DOWNLOAD_SECONDS = 60


def read_source(source: str, option: str) -> bytes:
    """Returns the content of a file or URL.

    Args:
        source: a path, or an http or https URL. Redirects are followed, but not from https to http.
        option: what the user typed before it, for errors.

    Raises:
        Problem: it cannot be read or fetched, or is too large.
    """
    if "://" not in source:
        try:
            return reader.read_file(Path(source))
        except reader.DocumentError as error:
            place = "" if error.rule == "file" else f"{source}:{error.line}: [{error.rule}] "
            raise Problem(f"{option} {place}{error.reason}") from None
    try:
        return asyncio.run(_download(source))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Problem(f"{option} {source} cannot be fetched: {error}") from None
    except reader.DocumentError as error:
        raise Problem(f"{option} {source} cannot be fetched: {error.reason}") from None
    except TimeoutError:
        raise Problem(f"{option} {source} cannot be fetched: not complete after {DOWNLOAD_SECONDS} seconds") from None


async def _download(source: str) -> bytes:
    # A timeout of httpx is one of each read. A server that sends a byte now and then would never exceed it.
    async with asyncio.timeout(DOWNLOAD_SECONDS), httpx.AsyncClient(timeout=None) as client:
        return await _fetch(client, httpx.URL(source))


async def _fetch(client: httpx.AsyncClient, url: httpx.URL) -> bytes:
    """Returns the body of a response. Stops reading where a document becomes too large."""
    for _ in range(_MAX_REDIRECTS + 1):
        # Without a content encoding, the bytes that arrive are the bytes that are kept.
        async with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            if response.next_request is None:
                response.raise_for_status()
                content = b""
                async for chunk in response.aiter_raw():
                    content += chunk
                    reader.check_size(len(content))
                return content
            target = response.next_request.url
            if url.scheme == "https" and target.scheme != "https":
                raise reader.DocumentError(f"redirected from https to {target}, which is not encrypted")
            url = target
    raise reader.DocumentError(f"more than {_MAX_REDIRECTS} redirects")
