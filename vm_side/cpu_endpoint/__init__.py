"""A small real layout and OCR engine behind vLLM's protocol, for a computer without a GPU.

May import: nothing of ours.
"""
