"""Reports: static HTML pages of one result set, or of what differs between two.

May import: contract, walk, lib, lib.pages.
"""
