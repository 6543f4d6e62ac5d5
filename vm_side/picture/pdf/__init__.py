"""A page of a PDF -> its picture, drawn whole or not at all. May import: picture."""
