"""Tokens for applications: cached, refreshed before they expire, and fetched once for all threads that wait."""
