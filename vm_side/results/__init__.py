"""Which pages there are, and what became of them.

May import: picture, picture.pdf, server, answer, trust, contract, picture_files, schema, walk,
wanted_pages.
"""
