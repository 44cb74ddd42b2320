"""The queue folder: its files, who may work on them, when they are due, and what a crash leaves.

One file holds one message with its envelope, and behind the content the history of its attempts.
Its extension tells its state, a lock on the file tells whether a living worker has it, and nothing
else is kept anywhere. This package touches files and never the network.
"""
