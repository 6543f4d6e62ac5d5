"""A --load-format for vLLM: random weights that tell the answers of told_model.py.

This is a plugin; bench/card/serving.py installs it. Scheduler, kernels and sampler are vLLM's own,
and compute all that they would for real weights. Only these are not random: norms are 1, and the
row of each token in lm_head is the embedding of the one before it.
"""

import json
from pathlib import Path
from typing import Any

LOGIT = 6.0  # of the right token; the others have 0.15, so it is sure at the clients' 0.1
VISION_SCALE = 30.0  # dummy weights are smaller than trained ones, by which a card draws less power


def register() -> None:
    """Called by vLLM in each of its processes."""
    from vllm.model_executor.model_loader import (  # type: ignore[import-not-found]  # noqa: PLC0415 - in vLLM's environment alone
        dummy_loader,
        register_model_loader,
    )

    class ToldLoader(dummy_loader.DummyModelLoader):  # type: ignore[misc]  # of no known type here
        """Dummy weights, and the answers in them."""

        def load_weights(self, model: Any, model_config: Any) -> None:
            super().load_weights(model, model_config)
            told = json.loads((Path(model_config.model) / "told.json").read_text())
            tell(dict(model.named_parameters()), told)

    register_model_loader(Path(__file__).stem)(ToldLoader)


def tell(weights: dict[str, Any], told: dict[str, Any]) -> None:
    """Write the answers into a model's weights."""
    import torch  # type: ignore[import-not-found]  # noqa: PLC0415 - in vLLM's environment alone

    embedding = next(w for name, w in weights.items() if name.endswith("embed_tokens.weight"))
    head = next(w for name, w in weights.items() if name.endswith("lm_head.weight"))
    size = embedding.shape[1]
    firsts, lasts = zip(*told["answers"], strict=True)
    with torch.no_grad():
        for name, weight in weights.items():
            if name.endswith("weight") and weight.dim() == 1:
                weight.fill_(1.0)  # norms
            elif "vision" in name and weight.dim() > 1:
                weight.mul_(VISION_SCALE)
        embedding.normal_(generator=torch.Generator(embedding.device).manual_seed(0))
        embedding[list(lasts)] = embedding[lasts[0]].clone()  # what follows all of them is the end
        head.zero_()
        before = embedding * (LOGIT / size)
        for first, last in told["answers"]:
            head[first + 1 : last + 1] = before[first:last]
        head[list(firsts)] = before[told["start"]]
        head[told["end"]] = before[lasts[0]]
