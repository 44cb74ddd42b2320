"""What is fuzzed: each module has a `check` that takes any bytes and holds what must be true."""
