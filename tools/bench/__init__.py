"""Speed compared with the usual way: `make bench`."""
