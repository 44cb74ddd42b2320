"""Django sends its mail through this package: one line in the settings, nothing in the code.

```python
EMAIL_BACKEND = "smtps.integrations.django.EmailBackend"
```

or, from Django 6.1 on, `"BACKEND": "smtps.integrations.django.EmailBackend"` in `MAILERS`.
"""

from __future__ import annotations

from .backend import EmailBackend

__all__ = ["EmailBackend"]
