"""Results as documents: pages are put together, and written in the forms that people use.

May import: contract, walk, lib, lib.pages, lib.documents.formats.
"""
