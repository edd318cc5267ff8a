# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.

"""A client library for accessing Azure Instance Metadata Service"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
