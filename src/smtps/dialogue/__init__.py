"""The SMTP procedures, each one generator that reads top to bottom like its RFC."""
