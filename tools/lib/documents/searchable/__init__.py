"""The text of a page laid over its picture, unseen: what formats/pdf.py puts into a PDF.

May import: contract, lib, lib.pages, lib.documents.
"""
