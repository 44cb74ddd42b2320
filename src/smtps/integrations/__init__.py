"""The engine inside of others: mail backends, task queues, logging and telemetry."""
