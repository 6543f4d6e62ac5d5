"""Results as documents: pages are put together, and written in the forms that people use.

May import: contract, picture_files, walk, lib, lib.pages, lib.documents.formats.
"""
