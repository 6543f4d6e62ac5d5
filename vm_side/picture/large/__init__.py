"""A very large picture -> half of each side, so that it is never held whole.

May import: picture.
"""
