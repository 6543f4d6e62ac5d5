"""A small real layout and OCR engine behind vLLM's protocol, for a computer without a GPU.

May import: nothing of ours.
"""

import os

# Else onnxruntime reports to its maker, as soon as it is imported: see picture/orientation.py.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
