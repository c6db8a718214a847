"""Videos and portraits to try things on, for the demo, the benchmarks and the tests."""
