"""Commands for maintainers: releases, API comparisons and the documentation site. Not part of the distribution.

- `release`: changelog, build, upload.
- `api_diff`: what the changes between two versions mean for users.
- `site`: pages and links that mkdocs adds to docs/.

These three do not import each other. They share the modules at this level.
"""
