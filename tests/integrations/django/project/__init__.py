"""A Django project that sends mail from a view, from `mail_admins` and from a command."""
