"""Checkpoint folders: what is written is read back, and what is damaged is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors")

from lab.small_models import SMALL, TINY  # noqa: E402
from upswing.errors import InputError  # noqa: E402
from upswing.lab.checkpoint import read_checkpoints, write_checkpoint  # noqa: E402
from upswing.lab.transformer import initial_weights  # noqa: E402


def written(folder: Path, shape=TINY, seed=0) -> dict[str, torch.Tensor]:
    weights = {name: weight[0] for name, weight in initial_weights(shape, [seed]).items()}
    write_checkpoint(folder, shape, weights, {"model": "m", "source": "lab/pretrain/abc"})
    return weights


def test_checkpoints_are_read_back_as_a_stack_in_order(tmp_path):
    folders = [tmp_path / name for name in ("b", "a", "deep/er")]
    models = [written(folder, SMALL, seed) for seed, folder in enumerate(folders)]
    shape, stack = read_checkpoints(folders)
    assert shape == SMALL
    for i, weights in enumerate(models):
        assert set(stack) == set(weights)
        assert all(torch.equal(stack[name][i], weight) for name, weight in weights.items())


def test_weights_that_are_part_of_a_stack_or_learn_are_written(tmp_path):
    stack = initial_weights(TINY, [0, 1])
    weights = {name: weight.clone().requires_grad_()[1] for name, weight in stack.items()}
    write_checkpoint(tmp_path / "one", TINY, weights, {})
    _, found = read_checkpoints([tmp_path / "one"])
    assert all(torch.equal(found[name][0], stack[name][1]) for name in stack)
    size = (tmp_path / "one" / "model.safetensors").stat().st_size
    assert size < 4 * TINY.params + 4000  # this model alone, not the stack that it was part of


def test_the_file_says_where_it_comes_from(tmp_path):
    written(tmp_path / "one")
    with safetensors.safe_open(tmp_path / "one" / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "model": "m", "source": "lab/pretrain/abc"}


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other"])
def test_damaged_files_are_told_by_their_folder(tmp_path, name, damage):
    folder = tmp_path / "one"
    written(folder)
    path = folder / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": content[:-9], "other": b"[1, 2]"}[damage])
    with pytest.raises(InputError, match="no checkpoint of the lab") as error:
        read_checkpoints([folder])
    assert str(folder) in str(error.value)


@pytest.mark.parametrize("width", ["8", None, [8]])
def test_a_config_of_wrong_types_is_told(tmp_path, width):
    folder = tmp_path / "one"
    written(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": width}))
    with pytest.raises(InputError, match="no checkpoint of the lab"):
        read_checkpoints([folder])


def test_weights_and_config_that_do_not_fit_are_told(tmp_path):
    written(tmp_path / "one")
    written(tmp_path / "two", SMALL)
    config = (tmp_path / "two" / "config.json").read_bytes()
    (tmp_path / "one" / "config.json").write_bytes(config)
    with pytest.raises(InputError, match="not of the shape"):
        read_checkpoints([tmp_path / "one"])


def test_a_stack_is_of_one_shape(tmp_path):
    written(tmp_path / "one")
    written(tmp_path / "two", SMALL)
    for folders in ([tmp_path / "one", tmp_path / "two"], []):
        with pytest.raises(InputError, match="one or more checkpoints of one shape"):
            read_checkpoints(folders)
