"""Which pages there are, and what became of them.

May import: picture, server, answer, trust, contract, walk.
"""
