"""Who runs read_page: a pool of processes, or a fleet.

May import: picture, picture.pdf, server, answer, trust, results, contract, read_page.
"""
