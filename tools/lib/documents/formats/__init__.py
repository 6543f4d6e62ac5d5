"""The forms that a document is written in: a module each, with write(); see document.Write.

May import: contract, prompts, lib, lib.pages, lib.documents, lib.documents.office,
lib.documents.searchable.
"""
