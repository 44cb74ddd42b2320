"""The hot functions in plain Python: the definition that the compiled ones are held to."""
