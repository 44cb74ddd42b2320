"""The compiled hot functions; empty where nothing could be compiled."""
