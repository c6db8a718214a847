"""The main job once, on real photographs: `make demo`."""
