"""What the methods section refers to."""

from __future__ import annotations

from typing import NamedTuple


class Reference(NamedTuple):
    """Authors and year, title, and where it appeared."""

    who: str
    title: str
    where: str


REFERENCES = (
    Reference("Wei et al. 2022", "Emergent abilities of large language models", "arXiv:2206.07682"),
    Reference(
        "Schaeffer, Miranda, Koyejo 2023",
        "Are emergent abilities of large language models a mirage?",
        "arXiv:2304.15004",
    ),
    Reference(
        "Srivastava et al. 2022",
        "Beyond the imitation game: quantifying and extrapolating the capabilities of language "
        "models (BIG-bench)",
        "arXiv:2206.04615",
    ),
    Reference(
        "Du et al. 2024",
        "Understanding emergent abilities of language models from the loss perspective",
        "arXiv:2403.15796",
    ),
    Reference(
        "Wu, Lo 2025",
        "U-shaped and inverted-U scaling behind emergent abilities of large language models",
        "arXiv:2410.01692",
    ),
    Reference(
        "Simonsohn 2018",
        "Two lines: a valid alternative to the invalid testing of U-shaped relationships with "
        "quadratic regressions",
        "doi:10.1177/2515245918805755",
    ),
    Reference("Kaplan et al. 2020", "Scaling laws for neural language models", "arXiv:2001.08361"),
    Reference(
        "Holm 1979",
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics 6, 65–70",
    ),
    Reference(
        "Benjamini, Hochberg 1995",
        "Controlling the false discovery rate",
        "Journal of the Royal Statistical Society B 57, 289–300",
    ),
    Reference(
        "Wilson 1927",
        "Probable inference, the law of succession, and statistical inference",
        "Journal of the American Statistical Association 22, 209–212",
    ),
)

EMERGENCE_REFERENCE = Reference(
    "Snell, Wallace, Klein, Levine 2024",
    "Predicting emergent capabilities by finetuning",
    "arXiv:2411.16035",
)
"""What forecasts from finetuned models rest on, where a report has some."""
