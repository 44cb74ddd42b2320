"""Send mail from Celery: the tasks `smtps.send` and `smtps.send_many`, one pool a worker process.

Put `imports = ["smtps.integrations.celery"]` and `smtps_url` (or SMTPS_URL in the environment) into
Celery's configuration. `smtps_redis` names the Redis of the record, by which a task that is
delivered twice is not mailed twice, and of `smtps_rate`, which all workers share. The guide tells
of all settings, of what each result means, and how much it takes: docs/celery.md.

A message is JSON: `{"from": ..., "to": [...], "subject": ..., "text": ...}` and the other fields of
`smtps.Message`; or `{"mime": base64, "sender": ..., "recipients": [...]}`, which `pack` makes of
anything that can be sent; or `{"path": ..., "sender": ..., "recipients": [...]}`.
"""

from __future__ import annotations

try:
    import celery  # noqa: F401
    import redis  # noqa: F401
except ImportError as error:
    raise ImportError(f"{error.name} is missing: pip install 'smtps[celery]'") from error

from .arguments import pack
from .memory import MemoryUnavailable
from .tasks import BrokerUnavailable, GoesAgain, send, send_many

__all__ = ["BrokerUnavailable", "GoesAgain", "MemoryUnavailable", "pack", "send", "send_many"]
