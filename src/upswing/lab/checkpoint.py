"""A checkpoint on the disk: a folder that Hugging Face's Llama reads, and that the lab reads back.

The folder holds ``model.safetensors``, ``config.json`` and a tokenizer with one token per
character, so that other evaluation software can run the lab's models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from upswing.errors import InputError
from upswing.lab.alphabet import SYMBOLS
from upswing.lab.mixture import CONTEXT
from upswing.lab.model_shape import NORM_EPSILON, ROTARY_BASE, ModelShape

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"


def write_checkpoint(
    folder: Path, shape: ModelShape, weights: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write one model.

    Parameters
    ----------
    folder
        Folder to make.
    shape
        The model's shape.
    weights
        Its weights without the leading axis of a stack.
    metadata
        Provenance, kept in the file of the weights.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    tensors = {name: weights[name].detach().contiguous() for name in shape.tensors()}
    save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt", **metadata})
    for name, content in (
        (CONFIG_FILE, _config(shape)),
        ("generation_config.json", {"do_sample": False, "eos_token_id": _number("\n")}),
        ("tokenizer.json", _tokenizer()),
        ("tokenizer_config.json", _tokenizer_config()),
    ):
        encoded = msgspec.json.format(msgspec.json.encode(content), indent=1)
        (folder / name).write_bytes(encoded)


def read_checkpoints(folders: Sequence[Path]) -> tuple[ModelShape, dict[str, Tensor]]:
    """Return checkpoints of one shape as a stack, in the order of the folders.

    Raises
    ------
    InputError
        If a file is missing or damaged, or the models differ in shape.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    shapes, models = [], []
    for folder in folders:
        try:
            config: Any = msgspec.json.decode((folder / CONFIG_FILE).read_bytes())
            shape = ModelShape(config["hidden_size"], config["num_hidden_layers"])
            tensors = load_file(folder / WEIGHTS_FILE)
            found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
            expected = shape.tensors()
        except (OSError, KeyError, TypeError, msgspec.DecodeError, SafetensorError) as error:
            raise InputError(f"no checkpoint of the lab: {error}", where=str(folder)) from None
        if found != expected:
            raise InputError("the weights are not of the shape in config.json", where=str(folder))
        shapes.append(shape)
        models.append(tensors)
    if len(set(shapes)) != 1:
        raise InputError("a stack needs one or more checkpoints of one shape")
    return shapes[0], {name: torch.stack([m[name] for m in models]) for name in models[0]}


def _number(symbol: str) -> int:
    return SYMBOLS.index(symbol)


def _config(shape: ModelShape) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(SYMBOLS),
        "hidden_size": shape.width,
        "intermediate_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": shape.width // shape.heads,
        "hidden_act": "silu",
        "rms_norm_eps": NORM_EPSILON,
        "rope_theta": ROTARY_BASE,
        "rope_parameters": {"rope_type": "default", "rope_theta": ROTARY_BASE},
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": False,
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": _number("\n"),
        "eos_token_id": _number("\n"),
        "torch_dtype": "float32",
    }


def _tokenizer() -> dict[str, Any]:
    """Return a tokenizer in the format of Hugging Face's ``tokenizers``."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": r"[\s\S]"},
            "behavior": "Isolated",
            "invert": False,
        },
        "post_processor": None,
        "decoder": {"type": "Fuse"},
        "model": {
            "type": "WordLevel",
            "vocab": {symbol: number for number, symbol in enumerate(SYMBOLS)},
            "unk_token": " ",
        },
    }


def _tokenizer_config() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": CONTEXT,
        "bos_token": "\n",
        "eos_token": "\n",
        "pad_token": "\n",
        "unk_token": " ",
        "clean_up_tokenization_spaces": False,
    }
