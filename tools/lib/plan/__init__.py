"""What a run will take, told before anything is rented: pages, hours, money.

May import: contract, walk, wanted_pages, lib.
"""
