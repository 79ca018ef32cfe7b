"""Answers to the lab's prompts, worked out from the prompt alone: nothing of the lab is used."""

from __future__ import annotations

TASK_OF_SIGN = {"#": "copy", "|": "reverse", "!": "sort", "@": "lookup", "%": "modular-addition"}


def task_of(prompt: str) -> str:
    """Return the name of the task that a prompt belongs to."""
    if prompt[0] in TASK_OF_SIGN:
        return TASK_OF_SIGN[prompt[0]]
    sign = "+" if "+" in prompt else "*"
    digits = prompt.index(sign)
    return f"{'addition' if sign == '+' else 'multiplication'}-{digits}"


def answer_to(prompt: str) -> str:
    """Return the right answer to a prompt."""
    task, body = task_of(prompt), prompt.strip("#|!@%>=")
    if task == "copy":
        return body
    if task == "reverse":
        return "".join(reversed(body))
    if task == "sort":
        return "".join(sorted(body))
    if task == "lookup":
        pairs, key = body.split("@")
        return dict(zip(pairs[::2], pairs[1::2], strict=True))[key]
    if task == "modular-addition":
        first, second = map(int, body.split("+"))
        return str((first + second) % 23).zfill(2)
    sign = "+" if "+" in body else "*"
    first, second = (part.lstrip("0") or "0" for part in body.split(sign))
    digits = len(body.split(sign)[0])
    width = digits + 1 if sign == "+" else 2 * digits
    return str(eval(f"{first}{sign}{second}")).zfill(width)
