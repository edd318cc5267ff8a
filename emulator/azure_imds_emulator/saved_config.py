"""Writes settings as a configuration file, which `config.load` reads again."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import cast

import yaml

from .machine import Json, Machine, is_array, is_object
from .settings import Settings


def format_settings(settings: Settings) -> str:
    """Returns the settings in YAML. Settings without a value are omitted: they have their default."""
    values = {field.name: _to_plain(getattr(settings, field.name)) for field in fields(settings)}
    values = {name: value for name, value in values.items() if value is not None}
    text: str = yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=120)
    return text


def _to_plain(value: Json) -> Json:
    """Returns the value with types that YAML has."""
    if isinstance(value, Machine):
        members = value.to_dict()
        # `instance` in a file means changes. `document` is the whole document.
        del members["identities"]
        return _to_plain({"document": members.pop("instance"), **members})
    if is_object(value):
        return {name: _to_plain(member) for name, member in value.items()}
    if is_array(value):
        return [_to_plain(element) for element in value]
    if isinstance(value, os.PathLike):
        return str(cast("os.PathLike[str]", value))
    # Also numbers of a subclass, which remember how they were written.
    return float(value) if isinstance(value, float) else value
