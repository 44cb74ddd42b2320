"""The drivers: they carry out the operations of a dialogue on a real connection.

Only here are sockets, TLS and asyncio touched. A driver decides nothing: it does what an operation
says, enforces its deadline, and reports what broke.
"""
