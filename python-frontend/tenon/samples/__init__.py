"""Models with real weights that the demo, the tests and the benchmark share."""
