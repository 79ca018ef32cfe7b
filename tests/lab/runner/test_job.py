"""A job's key names exactly what its result depends on."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswing.errors import InputError
from upswing.lab.runner.job import Job

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=5)
)
_NAMES = st.text(st.characters(codec="utf-8"), max_size=5)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_CONFIGS = st.dictionaries(_NAMES, _VALUES, min_size=1, max_size=4)


def test_the_key_never_changes():
    # Computed with sha256sum: printf 'pretrain\n{"a":[1,2.5,null],"b":"é"}' | sha256sum
    job = Job("pretrain", {"b": "é", "a": (1, 2.5, None)}, cost=3.0, label="first")
    assert job.key == "cc84b8866c1b191e8e40"
    assert job.source == f"lab/pretrain/{job.key}"


def test_only_kind_and_config_count():
    job = Job("a", {"seed": 0})
    assert Job("a", {"seed": 0}, ("x",), 9.0, "label") == job
    assert Job("b", {"seed": 0}) != job
    assert len({job, Job("a", {"seed": 0}, label="again")}) == 1
    assert job != "a"


@given(_CONFIGS, st.integers())
def test_the_order_of_names_does_not_count(config, seed):
    assert Job("k", _shuffled(config, random.Random(seed))).key == Job("k", config).key


@given(_CONFIGS, _VALUES)
def test_any_change_of_a_value_changes_the_key(config, value):
    name = next(iter(config))
    changed = {**config, name: value}
    same = json.dumps(changed, sort_keys=True) == json.dumps(config, sort_keys=True)
    assert (Job("k", changed).key == Job("k", config).key) == same


@given(_CONFIGS)
def test_the_config_survives_the_way_to_a_worker(config):
    job = Job("k", config)
    assert Job("k", json.loads(json.dumps(job.config))).key == job.key


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (0, None), ("1", 1), (0.0, -0.0)])
def test_values_that_python_takes_for_equal_are_different(one, other):
    assert Job("k", {"x": one}) != Job("k", {"x": other})


def test_a_job_is_not_changed_by_its_maker():
    config: dict[str, Any] = {"sizes": [1, 2]}
    job = Job("k", config)
    before = copy.deepcopy(job.config)
    config["sizes"].append(3)
    assert job.config == before
    assert job.key == Job("k", {"sizes": [1, 2]}).key


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        np.float32(1.0),
        np.arange(3),
        {1: 2},
        [{None: 1}],
        b"x",
        "\ud800",
    ],
)
def test_what_is_not_json_is_refused(value):
    with pytest.raises(InputError, match="config of job 'mine' is not JSON"):
        Job("k", {"x": value}, label="mine")


def _shuffled(value: Any, generator: random.Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        generator.shuffle(names)
        return {name: _shuffled(value[name], generator) for name in names}
    if isinstance(value, list):
        return [_shuffled(inner, generator) for inner in value]
    return value
