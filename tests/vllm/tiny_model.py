"""Builds a model folder for vLLM: dots.ocr's architecture, tokens and template, 12 MB of weights.

    .venv-vllm-0.32.0/bin/python tests/vllm/tiny_model.py FOLDER [chatml]

Tokenizer, template, image processor and vision tower are the real code at small sizes. The
language model is a chain: attention and MLP write zeros, so the last token alone decides, and the
row of each token in lm_head is the embedding of the one before it. Which story of stories.py it
tells is decided by the last token of the prompt, which the template puts there. With "chatml" the
template is another model's, which knows nothing of dots.ocr's roles.
"""

import itertools
import sys
from pathlib import Path
from typing import Any

import torch  # type: ignore[import-not-found]  # this and the next: in vLLM's environment alone
from model_folder import (  # type: ignore[import-not-found]  # beside this script
    PATCH,
    SPECIAL,
    TINY,
    base_tokenizer,
    letters_of,
    template,
    write_settings,
    write_tokenizer,
)
from safetensors.torch import save_file  # type: ignore[import-not-found]
from stories import STORIES  # type: ignore[import-not-found]

CORPUS = "Please output the layout information from the PDF image, each element's bbox and text."
HIDDEN, LAYERS, MLP = TINY.hidden, TINY.layers, TINY.mlp
HEADS, KV_HEADS = TINY.heads, TINY.kv_heads
VISION, VISION_LAYERS = TINY.vision, TINY.vision_layers
SURENESS = 4.0  # the right token's logit is this times the root of HIDDEN
TURN = {"dots": ("<|user|>", "<|endofuser|>"), "chatml": ("<|im_start|>user\n", "<|im_end|>\n")}
CHOICE = "{%%- if '[%s]' in said.text -%%}{{- '%s' -}}{%%- endif -%%}"


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = base_tokenizer([CORPUS], 500)
    chains = add_stories(tokenizer)
    number = write_tokenizer(folder, tokenizer, [*SPECIAL, *map(start_of, STORIES)])
    vocabulary = (max(number.values()) + 64) // 64 * 64
    turn = TURN["chatml" if "chatml" in sys.argv[2:] else "dots"]
    write_settings(folder, TINY, number, vocabulary, template(*turn, choices()))
    save_file(
        {
            name: weight.contiguous()
            for name, weight in (
                language_weights(number, chains, vocabulary) | vision_weights()
            ).items()
        },
        str(folder / "model.safetensors"),
        metadata={"format": "pt"},
    )


def start_of(name: str) -> str:
    """The token after which a story begins."""
    return "<|assistant|>" if name == "page" else f"<|tell-{name}|>"


def add_stories(tokenizer: dict[str, Any]) -> dict[str, tuple[list[int], list[int]]]:
    """Give each piece of each story a number; no merge makes these, so they are only written.

    No piece may occur twice, since what follows depends on the last token alone.
    """
    vocabulary = tokenizer["model"]["vocab"]
    chains = {}
    for name, story in STORIES.items():
        chain: list[list[int]] = []
        for told in (story.once, story.again):
            numbers = []
            for piece in apart(told, vocabulary):
                vocabulary[piece] = len(vocabulary)
                numbers.append(vocabulary[piece])
            chain.append(numbers)
        chains[name] = (chain[0], chain[1])
    return chains


def apart(told: tuple[str, ...], vocabulary: dict[str, int]) -> list[str]:
    """The pieces in the tokenizer's letters, each joined with the next while it is known."""
    found: list[str] = []
    rest = ""
    for piece in told:
        rest += letters_of(piece)
        if rest not in vocabulary and rest not in found:
            found.append(rest)
            rest = ""
    if rest:
        found[-1] += rest
    assert len(set(found)) == len(found) and not set(found) & vocabulary.keys(), found
    return found


def choices() -> str:
    """The end of the template: which story is told."""
    return "".join(
        CHOICE % (name, start_of(name)) for name in STORIES if start_of(name) != "<|assistant|>"
    )


def language_weights(
    number: dict[str, int], chains: dict[str, tuple[list[int], list[int]]], vocabulary: int
) -> dict[str, Any]:
    """The chain of tokens as weights."""
    some = torch.Generator().manual_seed(0)
    embedding = torch.randn(vocabulary, HIDDEN, generator=some)
    embedding *= HIDDEN**0.5 / embedding.norm(dim=1, keepdim=True)
    head = torch.zeros(vocabulary, HIDDEN)
    for name, (once, again) in chains.items():
        told = [number[start_of(name)], *once, *again]
        told.append(again[0] if again else number["<|endofassistant|>"])
        for before, after in itertools.pairwise(told):
            head[after] += embedding[before] / HIDDEN**0.5 * SURENESS
    weights = {
        "model.embed_tokens.weight": embedding.to(torch.bfloat16),
        "model.norm.weight": ones(HIDDEN),
        "lm_head.weight": head.to(torch.bfloat16),
    }
    head_size = HIDDEN // HEADS
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        weights |= {
            f"{at}input_layernorm.weight": ones(HIDDEN),
            f"{at}post_attention_layernorm.weight": ones(HIDDEN),
            f"{at}self_attn.q_proj.weight": small(HEADS * head_size, HIDDEN),
            f"{at}self_attn.q_proj.bias": zeros(HEADS * head_size),
            f"{at}self_attn.k_proj.weight": small(KV_HEADS * head_size, HIDDEN),
            f"{at}self_attn.k_proj.bias": zeros(KV_HEADS * head_size),
            f"{at}self_attn.v_proj.weight": small(KV_HEADS * head_size, HIDDEN),
            f"{at}self_attn.v_proj.bias": zeros(KV_HEADS * head_size),
            f"{at}self_attn.o_proj.weight": zeros(HIDDEN, HEADS * head_size),
            f"{at}mlp.gate_proj.weight": small(MLP, HIDDEN),
            f"{at}mlp.up_proj.weight": small(MLP, HIDDEN),
            f"{at}mlp.down_proj.weight": zeros(HIDDEN, MLP),
        }
    return weights


def vision_weights() -> dict[str, Any]:
    """A vision tower of small random weights."""
    at = "vision_tower."
    weights = {
        f"{at}patch_embed.patchifier.proj.weight": small(VISION, 3, PATCH, PATCH),
        f"{at}patch_embed.patchifier.proj.bias": zeros(VISION),
        f"{at}patch_embed.patchifier.norm.weight": ones(VISION),
        f"{at}post_trunk_norm.weight": ones(VISION),
        f"{at}merger.ln_q.weight": ones(VISION),
        f"{at}merger.ln_q.bias": zeros(VISION),
        f"{at}merger.mlp.0.weight": small(4 * VISION, 4 * VISION),
        f"{at}merger.mlp.0.bias": zeros(4 * VISION),
        f"{at}merger.mlp.2.weight": small(HIDDEN, 4 * VISION),
        f"{at}merger.mlp.2.bias": zeros(HIDDEN),
    }
    for layer in range(VISION_LAYERS):
        block = f"{at}blocks.{layer}."
        weights |= {
            f"{block}norm1.weight": ones(VISION),
            f"{block}norm2.weight": ones(VISION),
            f"{block}attn.qkv.weight": small(3 * VISION, VISION),
            f"{block}attn.proj.weight": small(VISION, VISION),
            f"{block}mlp.fc1.weight": small(MLP, VISION),
            f"{block}mlp.fc2.weight": small(VISION, MLP),
            f"{block}mlp.fc3.weight": small(MLP, VISION),
        }
    return weights


def ones(size: int) -> Any:
    return torch.ones(size, dtype=torch.bfloat16)


def zeros(*sizes: int) -> Any:
    return torch.zeros(*sizes, dtype=torch.bfloat16)


def small(*sizes: int) -> Any:
    return (torch.randn(*sizes, generator=torch.Generator().manual_seed(1)) * 0.02).to(
        torch.bfloat16
    )


if __name__ == "__main__":
    main()
