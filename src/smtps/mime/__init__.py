"""Messages: their headers, their text, and the standard library's."""
