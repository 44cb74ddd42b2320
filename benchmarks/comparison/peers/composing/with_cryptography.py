"""Signatures and nothing else: the bound of whatever signs a message. It sends none."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from comparison.job import Clock, Job
from comparison.orders import Order
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

job = Job.load()
key = load_pem_private_key(Path(Order.load(job).key).read_bytes(), None)
clock = Clock()
for number in range(job.messages):
    data = sha256(b"%d" % number).digest()
    if isinstance(key, rsa.RSAPrivateKey):
        key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    else:
        key.sign(data)
clock.report(job, sent=0)
