"""Send mail over SMTP: the classic component and a modern engine under it."""
