"""Hold the function to hostile media, load and time: `python -m tools.soak`."""
