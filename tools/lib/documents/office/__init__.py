"""What Word's and Excel's files are made of: text that XML can hold, paragraphs, tables, formulas.

May import: contract, lib, lib.pages, lib.documents.
"""
