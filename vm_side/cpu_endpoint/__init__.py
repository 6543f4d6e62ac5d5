"""A small real layout + OCR engine behind the vLLM protocol, for machines without a GPU."""
