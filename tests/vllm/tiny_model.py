"""Builds a model folder for vLLM: dots.ocr's architecture, tokens and template, 12 MB of weights.

    .venv-vllm-0.32.0/bin/python tests/vllm/tiny_model.py FOLDER [chatml]

Tokenizer, template, image processor and vision tower are the real code at small sizes. The
language model is a chain: attention and MLP write zeros, so the last token alone decides, and the
row of each token in lm_head is the embedding of the one before it. Which story of stories.py it
tells is decided by the last token of the prompt, which the template puts there. With "chatml" the
template is another model's, which knows nothing of dots.ocr's roles.
"""

import importlib.metadata
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import torch  # type: ignore[import-not-found]  # this and the next: in vLLM's environment alone
from safetensors.torch import save_file  # type: ignore[import-not-found]
from stories import STORIES  # type: ignore[import-not-found]
from tokenizers import (  # type: ignore[import-not-found]
    AddedToken,
    Tokenizer,
    decoders,
    models,
    pre_tokenizers,
    trainers,
)

SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>", "<|imgpad|>", "<|img|>"),
    *("<|endofimg|>", "<|system|>", "<|endofsystem|>", "<|user|>", "<|endofuser|>"),
    *("<|assistant|>", "<|endofassistant|>"),
)
CORPUS = "Please output the layout information from the PDF image, each element's bbox and text."
HIDDEN, HEADS, KV_HEADS, LAYERS, MLP = 512, 4, 2, 2, 128
VISION, VISION_HEADS, VISION_LAYERS, PATCH = 64, 2, 2, 14
SURENESS = 4.0  # the right token's logit is this times the root of HIDDEN
PICTURE = "<|img|><|imgpad|><|endofimg|>"
TURN = {"dots": ("<|user|>", "<|endofuser|>"), "chatml": ("<|im_start|>user\n", "<|im_end|>\n")}
TEMPLATE = """\
{%- set said = namespace(text='') -%}
{%- for m in messages -%}
  {{- 'BEGIN' -}}
  {%- if m.content is string -%}
    {{- m.content -}}{%- set said.text = m.content -%}
  {%- else -%}
    {%- for part in m.content -%}
      {%- if part.type == 'text' -%}
        {{- part.text -}}{%- set said.text = part.text -%}
      {%- else -%}{{- 'PICTURE' -}}{%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  {{- 'END' -}}
{%- endfor -%}
{{- '<|assistant|>' -}}
STORIES"""
CHOICE = "{%%- if '[%s]' in said.text -%%}{{- '%s' -}}{%%- endif -%%}"


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = base_tokenizer()
    chains = add_stories(tokenizer)
    tokenizer = tokenizer_of(tokenizer)
    starts = [start_of(name) for name in STORIES]
    # after the vocabulary, or a load renumbers them
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in (*SPECIAL, *starts)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    number = {token: tokenizer.token_to_id(token) for token in (*SPECIAL, *starts)}
    vocabulary = (max(number.values()) + 64) // 64 * 64
    turn = TURN["chatml" if "chatml" in sys.argv[2:] else "dots"]
    write_settings(folder, number, vocabulary, template(*turn))
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


def base_tokenizer() -> dict[str, Any]:
    """A byte-level BPE of a few hundred tokens, as JSON."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([CORPUS] * 4, trainer)
    found: dict[str, Any] = json.loads(tokenizer.to_str())
    return found


def tokenizer_of(description: dict[str, Any]) -> Tokenizer:
    """A tokenizer from its JSON."""
    return Tokenizer.from_str(json.dumps(description))


def add_stories(tokenizer: dict[str, Any]) -> dict[str, tuple[list[int], list[int]]]:
    """Give each piece of each story a number; no merge makes these, so they are only written.

    No piece may occur twice, since what follows depends on the last token alone.
    """
    vocabulary = tokenizer["model"]["vocab"]
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    chains = {}
    for name, story in STORIES.items():
        chain: list[list[int]] = []
        for told in (story.once, story.again):
            numbers = []
            for piece in apart(told, vocabulary, level):
                vocabulary[piece] = len(vocabulary)
                numbers.append(vocabulary[piece])
            chain.append(numbers)
        chains[name] = (chain[0], chain[1])
    return chains


def apart(told: tuple[str, ...], vocabulary: dict[str, int], level: Any) -> list[str]:
    """The pieces in the tokenizer's letters, each joined with the next while it is known."""
    found: list[str] = []
    rest = ""
    for piece in told:
        rest += "".join(part for part, _ in level.pre_tokenize_str(piece))
        if rest not in vocabulary and rest not in found:
            found.append(rest)
            rest = ""
    if rest:
        found[-1] += rest
    assert len(set(found)) == len(found) and not set(found) & vocabulary.keys(), found
    return found


def template(begin: str, end: str) -> str:
    """The chat template; it takes contents as text and as parts, as dots.ocr's does."""
    choices = "".join(
        CHOICE % (name, start_of(name)) for name in STORIES if start_of(name) != "<|assistant|>"
    )
    text = TEMPLATE.replace("BEGIN", begin).replace("END", end).replace("PICTURE", PICTURE)
    return text.replace("STORIES", choices).replace("\n  ", "").replace("-%}\n", "-%}")


def write_settings(folder: Path, number: dict[str, int], vocabulary: int, template: str) -> None:
    """All JSON files beside the weights, and the configuration class that they name."""
    config = {
        "architectures": ["DotsOCRForCausalLM"],
        "model_type": "dots_ocr",
        "auto_map": {"AutoConfig": "configuration_dots.DotsOCRConfig"},
        "attention_bias": True,
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "hidden_size": HIDDEN,
        "initializer_range": 0.02,
        "intermediate_size": MLP,
        "max_position_embeddings": 131072,
        "max_window_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "num_key_value_heads": KV_HEADS,
        "rms_norm_eps": 1e-6,
        "rope_scaling": None,
        "rope_theta": 1000000,
        "sliding_window": 131072,
        "use_sliding_window": False,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": vocabulary,
        "image_token_id": number["<|imgpad|>"],
        "video_token_id": number["<|video_pad|>"],
        "eos_token_id": number["<|endoftext|>"],
        "vision_config": {
            "embed_dim": VISION,
            "hidden_size": HIDDEN,
            "intermediate_size": MLP,
            "num_hidden_layers": VISION_LAYERS,
            "num_attention_heads": VISION_HEADS,
            "num_channels": 3,
            "patch_size": PATCH,
            "post_norm": True,
            "rms_norm_eps": 1e-5,
            "spatial_merge_size": 2,
            "temporal_patch_size": 1,
            "use_bias": False,
            "attn_implementation": "sdpa",
            "init_merger_std": 0.02,
            "initializer_range": 0.02,
            "is_causal": False,
        },
    }
    ends = [number["<|endoftext|>"], number["<|endofassistant|>"]]
    files: dict[str, Any] = {
        "config.json": config,
        "generation_config.json": {"max_length": 32768, "eos_token_id": ends},
        "tokenizer_config.json": {
            "tokenizer_class": tokenizer_class(),
            "model_max_length": 131072,
            "eos_token": "<|endoftext|>",
            "pad_token": "<|endoftext|>",
            "bos_token": None,
            "clean_up_tokenization_spaces": False,
            "add_bos_token": False,
            "chat_template": template,
        },
        "preprocessor_config.json": {
            "min_pixels": 3136,
            "max_pixels": 11289600,
            "patch_size": PATCH,
            "temporal_patch_size": 1,
            "merge_size": 2,
            "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_std": [0.26862954, 0.26130258, 0.27577711],
            "image_processor_type": "Qwen2VLImageProcessor",
            "processor_class": "Qwen2VLProcessor",
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1))
    (folder / "configuration_dots.py").write_text(
        "from vllm.transformers_utils.configs.dotsocr import DotsOCRConfig  # noqa: F401\n"
    )


def tokenizer_class() -> str:
    """The model's own is Qwen2Tokenizer. transformers 4 takes no other; 5 would make it anew."""
    is_old = importlib.metadata.version("transformers").startswith("4.")
    return "Qwen2Tokenizer" if is_old else "PreTrainedTokenizerFast"


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
