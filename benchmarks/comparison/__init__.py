"""What the comparison of mail clients is made of; `benchmarks/compare.py` runs it."""
