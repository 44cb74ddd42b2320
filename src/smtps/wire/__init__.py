"""The wire: what commands, capabilities and content look like as bytes. No I/O, no policy."""
