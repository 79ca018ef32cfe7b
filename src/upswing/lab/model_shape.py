"""``ModelShape``: how wide and deep a model is, and what it costs to train."""

from __future__ import annotations

import re
from dataclasses import dataclass

from upswing.errors import InputError
from upswing.lab.alphabet import SYMBOLS

ROTARY_BASE = 1000.0
NORM_EPSILON = 1e-5

_NAME = re.compile(r"d(\d+)L(\d+)")


@dataclass(frozen=True)
class ModelShape:
    """A Llama: RMSNorm, rotary positions, SwiGLU, no biases, embeddings not tied.

    Attributes
    ----------
    width
        Size of the residual stream, a multiple of 8.
    layers
        Number of layers.
    """

    width: int
    layers: int

    @classmethod
    def named(cls, name: str) -> ModelShape:
        """Return the shape of a name such as ``d48L3``: width 48, 3 layers.

        Raises
        ------
        InputError
            If the name is of another form, or the width is no multiple of 8.
        """
        match = _NAME.fullmatch(name)
        if match is None or int(match[1]) % 8 or not int(match[1]) or not int(match[2]):
            raise InputError(
                f"no model size {name!r}", hint="write it like d48L3, with a width divisible by 8"
            )
        return cls(int(match[1]), int(match[2]))

    @property
    def name(self) -> str:
        """Its short name."""
        return f"d{self.width}L{self.layers}"

    @property
    def heads(self) -> int:
        """Attention heads: of 16 dimensions, but at least two heads where they can be equal."""
        return next(h for h in (max(2, self.width // 16), 2) if self.width % (2 * h) == 0)

    @property
    def hidden(self) -> int:
        """Width of the SwiGLU layer: 8/3 of the width, to a multiple of 8."""
        return 8 * round(self.width / 3)

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes of all weights, as Hugging Face's Llama calls them."""
        d, h = self.width, self.hidden
        shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (len(SYMBOLS), d)}
        for layer in range(self.layers):
            prefix = f"model.layers.{layer}"
            shapes[f"{prefix}.input_layernorm.weight"] = (d,)
            for name in ("q", "k", "v", "o"):
                shapes[f"{prefix}.self_attn.{name}_proj.weight"] = (d, d)
            shapes[f"{prefix}.post_attention_layernorm.weight"] = (d,)
            shapes[f"{prefix}.mlp.gate_proj.weight"] = (h, d)
            shapes[f"{prefix}.mlp.up_proj.weight"] = (h, d)
            shapes[f"{prefix}.mlp.down_proj.weight"] = (d, h)
        shapes["model.norm.weight"] = (d,)
        shapes["lm_head.weight"] = (len(SYMBOLS), d)
        return shapes

    @property
    def params(self) -> int:
        """Parameters, all of them.

        >>> ModelShape(16, 2).params, ModelShape(64, 4).params
        (7920, 202944)
        """
        from math import prod

        return sum(prod(shape) for shape in self.tensors().values())

    @property
    def params_nonembedding(self) -> int:
        """Parameters without the table of embeddings."""
        return self.params - len(SYMBOLS) * self.width
