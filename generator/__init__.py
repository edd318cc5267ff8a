"""How openapi.yaml becomes generated/azure_imds_api. Run as `python -m generator`; never shipped."""
