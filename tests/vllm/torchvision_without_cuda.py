"""Lets a torchvision that is linked to CUDA be imported beside a torch without it.

Its library cannot load, and then `import torchvision` fails for operators that are not declared.
vLLM needs its Python parts only, so the operators are declared just before. mend.py installs this
file with a .pth beside it, which imports it at every start of the interpreter.
"""

import sys
from typing import Any

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


class Hook:
    """Finds nothing, but sees that torchvision is looked for."""

    library: Any = None  # declarations last as long as it does

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name != "torchvision":
            return
        sys.meta_path.remove(self)
        import torch  # type: ignore[import-not-found]  # noqa: PLC0415 - vLLM's, once asked for

        Hook.library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in OPERATORS:
            Hook.library.define(operator)


sys.meta_path.insert(0, Hook())
