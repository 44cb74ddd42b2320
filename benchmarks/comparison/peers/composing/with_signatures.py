"""Signatures of one finished message, and bare ones, the bound of all others. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from comparison.emails import compose, finished, signature
from comparison.job import Clock, Job
from comparison.orders import DOMAIN, SELECTOR, Order
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from smtps import DkimSigner, Message
from smtps.mime.signing import signatures

job = Job.load()
order = Order.load(job)
pem = Path(order.key).read_bytes()


def bare() -> Callable[[], object]:
    key = load_pem_private_key(pem, None)
    data = sha256(pem).digest()
    if isinstance(key, rsa.RSAPrivateKey):
        scheme, algorithm = padding.PKCS1v15(), hashes.SHA256()
        return lambda: key.sign(data, scheme, algorithm)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    own = key
    return lambda: own.sign(data)


def smtps() -> Callable[[], object]:
    signers = [DkimSigner(DOMAIN, SELECTOR, pem)]
    rendering = Message.from_email(compose(order, 0)).rendering()
    return lambda: signatures(signers, rendering)


def dkimpy() -> Callable[[], object]:
    data = finished(compose(order, 0))
    return lambda: signature(data, order.algorithm, pem)


sign = {"bare": bare, "smtps": smtps, "dkimpy": dkimpy}[job.variant]()
clock = Clock()
for _ in range(job.messages):
    sign()
clock.report(job, sent=0)
