"""What the changes between two versions mean for users: a table of changes, and the next version number."""
