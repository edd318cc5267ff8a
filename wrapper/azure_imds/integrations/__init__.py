"""Parts of other libraries' interfaces, implemented with this package. Each module needs the extra of its name."""
