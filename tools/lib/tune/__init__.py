"""How many pixels a page needs: a sample of the pages, read in several ways, and compared.

May import: contract, wanted_pages, lib, lib.pages, lib.plan, lib.report, lib.score.
"""
