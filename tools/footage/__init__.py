"""Sample videos and portraits for the demo, the benchmarks and the tests."""
