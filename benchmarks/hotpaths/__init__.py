"""What `bench_codec.py` measures, and how it shows it."""
