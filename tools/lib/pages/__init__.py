"""What a result set says of its pages: entries, cells, doubts; and text -> HTML that is safe.

May import: contract, picture_files, walk, lib.
"""
