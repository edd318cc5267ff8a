"""Tokens as applications need them: cached, refreshed early, fetched once however many threads ask."""
