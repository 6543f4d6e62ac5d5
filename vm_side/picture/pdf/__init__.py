"""A page of a PDF -> its picture, drawn whole or not at all, and the words of its text layer.

May import: picture.
"""
