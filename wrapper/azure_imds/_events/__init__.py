"""Scheduled events: what changed since the last poll, and handlers that run before an event starts."""
