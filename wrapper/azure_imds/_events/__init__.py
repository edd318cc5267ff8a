"""Scheduled events: polling, changes between two polls, and handlers."""
