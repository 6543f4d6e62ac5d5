"""How good results are, against the truth of the same pages.

May import: contract, walk, lib, lib.documents, lib.pages.
"""
