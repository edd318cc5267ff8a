"""What mkdocs adds to docs/ when it builds the documentation site."""
