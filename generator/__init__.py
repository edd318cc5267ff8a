"""Generates generated/azure_imds_api from openapi.yaml. Run as `python -m generator`; not part of the distribution."""
