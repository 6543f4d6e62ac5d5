"""What a model folder for vLLM has beside weights: settings, tokenizer and template of dots.ocr.

Imported by tiny_model.py and told_model.py, which vLLM's own interpreter runs.
"""

import importlib.metadata
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import (  # type: ignore[import-not-found]  # in vLLM's environment alone
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
PATCH = 14
PICTURE = "<|img|><|imgpad|><|endofimg|>"
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
MORE"""


@dataclass(frozen=True)
class Sizes:
    """Of the language model, and of the vision tower."""

    hidden: int
    heads: int
    layers: int
    mlp: int
    vision: int
    vision_heads: int
    vision_layers: int
    vision_mlp: int
    vision_attention: str
    kv_heads: int = 2


TINY = Sizes(512, 4, 2, 128, 64, 2, 2, 128, "sdpa")
FULL = Sizes(1536, 12, 28, 8960, 1536, 12, 42, 4224, "flash_attention_2")


def base_tokenizer(texts: Iterable[str], size: int) -> dict[str, Any]:
    """A byte-level BPE of so many tokens that knows the texts' words, as JSON."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([*texts] * 4, trainer)
    found: dict[str, Any] = json.loads(tokenizer.to_str())
    return found


def letters_of(text: str) -> str:
    """A text in the letters of a byte-level tokenizer."""
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return "".join(part for part, _ in level.pre_tokenize_str(text))


def write_tokenizer(
    folder: Path, tokenizer: dict[str, Any], special: Iterable[str]
) -> dict[str, int]:
    """Write tokenizer.json with the special tokens; their numbers.

    They stand after the vocabulary, or a load renumbers them.
    """
    made = Tokenizer.from_str(json.dumps(tokenizer))
    special = list(special)
    made.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in special]
    )
    made.save(str(folder / "tokenizer.json"))
    return {token: made.token_to_id(token) for token in special}


def template(begin: str = "<|user|>", end: str = "<|endofuser|>", more: str = "") -> str:
    """The chat template; it takes contents as text and as parts, as dots.ocr's does."""
    text = TEMPLATE.replace("BEGIN", begin).replace("END", end).replace("PICTURE", PICTURE)
    return text.replace("MORE", more).replace("\n  ", "").replace("-%}\n", "-%}")


def write_settings(
    folder: Path, sizes: Sizes, number: dict[str, int], vocabulary: int, chat_template: str
) -> None:
    """All JSON files beside the weights, and the configuration class that they name."""
    config = {
        "architectures": ["DotsOCRForCausalLM"],
        "model_type": "dots_ocr",
        "auto_map": {"AutoConfig": "configuration_dots.DotsOCRConfig"},
        "attention_bias": True,
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "hidden_size": sizes.hidden,
        "initializer_range": 0.02,
        "intermediate_size": sizes.mlp,
        "max_position_embeddings": 131072,
        "max_window_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_hidden_layers": sizes.layers,
        "num_key_value_heads": sizes.kv_heads,
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
            "embed_dim": sizes.vision,
            "hidden_size": sizes.hidden,
            "intermediate_size": sizes.vision_mlp,
            "num_hidden_layers": sizes.vision_layers,
            "num_attention_heads": sizes.vision_heads,
            "num_channels": 3,
            "patch_size": PATCH,
            "post_norm": True,
            "rms_norm_eps": 1e-5,
            "spatial_merge_size": 2,
            "temporal_patch_size": 1,
            "use_bias": False,
            "attn_implementation": sizes.vision_attention,
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
            "chat_template": chat_template,
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
