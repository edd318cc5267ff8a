"""What maintainers run: releases, and the look at what a change does to users. Not part of the distribution."""
