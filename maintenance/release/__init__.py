"""Releases: changelog, distributions, bill of materials and upload."""
