"""Arithmetic: addition of 1 to 4 digits, 2-digit multiplication, addition modulo 23.

Numbers keep their leading zeros. Wrong options are the right answers of other problems.
"""

from __future__ import annotations

from upswing.lab.tasks.task import Problem, Task, answer_of_another

MODULUS = 23


def _addition(digits: int, weight: float) -> Task:
    def numbered(number: int) -> Problem:
        a, b = divmod(number, 10**digits)
        return Problem(f"{a:0{digits}}+{b:0{digits}}=", f"{a + b:0{digits + 1}}")

    return Task(f"addition-{digits}", 10 ** (2 * digits), numbered, answer_of_another, weight)


def _product(number: int) -> Problem:
    a, b = divmod(number, 100)
    return Problem(f"{a:02}*{b:02}=", f"{a * b:04}")


def _remainder(number: int) -> Problem:
    a, b = divmod(number, MODULUS)
    return Problem(f"%{a:02}+{b:02}=", f"{(a + b) % MODULUS:02}")


ADDITION = (_addition(1, 0.5), _addition(2, 1.5), _addition(3, 0.75), _addition(4, 0.5))
MULTIPLICATION = Task("multiplication-2", 10**4, _product, answer_of_another, 0.5)
MODULAR_ADDITION = Task("modular-addition", MODULUS**2, _remainder, answer_of_another, 0.5)
