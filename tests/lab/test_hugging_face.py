"""Checkpoint folders as Hugging Face's transformers reads them: an independent implementation.

The reference is ``LlamaForCausalLM`` and the fast tokenizer of the installed transformers.
"""

from __future__ import annotations

import os
import re

import numpy as np
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from lab.small_models import ALPHABET, SMALL, alphabet_models  # noqa: E402
from upswing.lab.alphabet import SYMBOLS, TEXT, decode, encode  # noqa: E402
from upswing.lab.answer import answer  # noqa: E402
from upswing.lab.checkpoint import write_checkpoint  # noqa: E402
from upswing.lab.mixture import CONTEXT  # noqa: E402
from upswing.lab.model_shape import ModelShape  # noqa: E402
from upswing.lab.questions import ask  # noqa: E402
from upswing.lab.tasks import TASKS  # noqa: E402
from upswing.lab.transformer import initial_weights, logits  # noqa: E402


def one_of(stack, i):
    return {name: weight[i] for name, weight in stack.items()}


@pytest.fixture(scope="module")
def alphabet_folder(tmp_path_factory):
    """The folder of a model that has learnt a task."""
    folder = tmp_path_factory.mktemp("models") / "alphabet"
    write_checkpoint(folder, SMALL, one_of(alphabet_models(), 2), {})
    return folder


@pytest.fixture(scope="module")
def tokenizer(alphabet_folder):
    return transformers.AutoTokenizer.from_pretrained(alphabet_folder)


@pytest.mark.parametrize("name", ["d8L1", "d16L2", "d24L2", "d48L3", "d56L1"])
@pytest.mark.parametrize("length", [1, CONTEXT])
def test_logits_are_those_of_llama(tmp_path, name, length):
    shape = ModelShape.named(name)
    weights = initial_weights(shape, [3])
    generator = torch.Generator().manual_seed(1)
    for tensor, weight in weights.items():  # as different as weights of trained models are
        if "norm" in tensor:
            weight.mul_(0.5 + torch.rand(weight.shape, generator=generator))
        elif "embed" in tensor:
            weight.mul_(20.0)
        elif "lm_head" in tensor:
            weight.mul_(8.0)
    write_checkpoint(tmp_path / "model", shape, one_of(weights, 0), {"source": "test"})
    model, problems = transformers.LlamaForCausalLM.from_pretrained(
        tmp_path / "model", output_loading_info=True
    )
    assert not any(problems.values()), problems
    assert model.dtype == torch.float32
    assert model.num_parameters() == shape.params
    tokens = torch.from_numpy(np.random.default_rng(2).integers(len(SYMBOLS), size=(5, length)))
    with torch.no_grad():
        expected = model.eval()(tokens).logits
    found = logits(weights, shape, tokens[None])[0]
    assert expected.abs().max() > 1
    assert torch.allclose(found, expected, atol=1e-5, rtol=0)


def test_a_trained_model_is_the_same_too(alphabet_folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(alphabet_folder).eval()
    tokens = torch.from_numpy(np.random.default_rng(2).integers(len(SYMBOLS), size=(5, 20)))
    with torch.no_grad():
        expected = model(tokens).logits
    stack = {name: weight[2:] for name, weight in alphabet_models().items()}
    assert torch.allclose(logits(stack, SMALL, tokens[None])[0], expected, atol=2e-5, rtol=0)


TEXTS = [
    SYMBOLS,
    "12+34=046\n56+78=",
    "\n\n a  b   c \n ",
    " leading and trailing ",
    "it's a (small) \"test\" , isn't it ? yes .",
    "#abc>abc\n|abcde>",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_tokenizer_has_one_token_per_symbol_and_gives_the_text_back(tokenizer, text):
    assert tokenizer(text)["input_ids"] == encode(text).tolist()
    assert tokenizer.encode(text, add_special_tokens=False) == encode(text).tolist()
    assert tokenizer.decode(encode(text).tolist()) == text


def test_random_texts_come_back(tokenizer):
    rng = np.random.default_rng(0)
    texts = [decode(rng.integers(len(SYMBOLS), size=rng.integers(1, 80))) for _ in range(100)]
    assert tokenizer(texts)["input_ids"] == [encode(text).tolist() for text in texts]
    assert tokenizer.batch_decode([encode(text).tolist() for text in texts]) == texts


def test_the_fast_tokenizer_class_reads_the_folder(alphabet_folder):
    fast = transformers.PreTrainedTokenizerFast.from_pretrained(alphabet_folder)
    assert fast("12+34=\n")["input_ids"] == encode("12+34=\n").tolist()
    assert len(fast) == len(SYMBOLS)
    assert (fast.eos_token, fast.pad_token) == ("\n", "\n")


def test_what_is_no_symbol_becomes_a_space(tokenizer):
    assert tokenizer.decode(tokenizer("Größe 3€")["input_ids"]) == "gr  e 3 "
    assert set(tokenizer.decode(tokenizer("A\tB")["input_ids"])) <= set(TEXT)


@pytest.mark.parametrize("shots", [0, 2])
@pytest.mark.parametrize("i", [0, 1, 2])
def test_generation_writes_what_the_lab_decodes(tmp_path, tokenizer, i, shots):
    """Generation ends at a line's end, where the lab goes on: compared is what stands before."""
    stack = {name: weight[i : i + 1] for name, weight in alphabet_models().items()}
    write_checkpoint(tmp_path / "model", SMALL, one_of(stack, 0), {})
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "model").eval()
    questions = ask(ALPHABET, 12, shots, np.random.default_rng(3))
    outputs = answer(stack, SMALL, questions).outputs[0]
    prompts = [decode(prompt) for prompt in questions.prompts]
    tokens = tokenizer(prompts, return_tensors="pt")
    length = questions.options.shape[2]
    written = model.generate(**tokens, max_new_tokens=length)[:, questions.prompts.shape[1] :]
    for ours, theirs in zip(outputs, written, strict=True):
        end = re.compile(r"\n.*", re.DOTALL)
        assert end.sub("", tokenizer.decode(theirs)) == end.sub("", decode(ours))
    if i == 2 and not shots:  # the one that has learnt the task: not all of them end at once
        expected = [problem.answer for problem in questions.problems]
        assert np.mean(np.array(tokenizer.batch_decode(written)) == expected) > 0.9


def test_prompts_of_the_tasks_are_tokenized_alike(tokenizer):
    for task in TASKS.values():
        questions = ask(task, 5, 2, np.random.default_rng(0))
        prompts = [decode(prompt) for prompt in questions.prompts]
        assert np.array_equal(tokenizer(prompts)["input_ids"], questions.prompts)
