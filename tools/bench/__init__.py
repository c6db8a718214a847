"""Speed, side by side with the way it is usually done: `make bench`."""
