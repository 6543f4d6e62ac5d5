"""What a person has corrected in the report: the file that says it, and how it is put into OUTPUT.

May import: contract, schema, lib, lib.pages.
"""
