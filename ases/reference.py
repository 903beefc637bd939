"""The parts of the README that are written: what notebooks accept, and what was found of the paper's claims.

    python -m ases reference

A test holds the README equal to what this module writes from the notebooks' own parameters cells and from the published
tables, so that neither can fall behind.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ases.choices import BASELINE
from ases.errors import RunError
from ases.folders import STEPS
from ases.parameters import Declared, declared, notebooks, root

if TYPE_CHECKING:
    import pandas as pd


_OTHER_TASKS = (
    ("The second task, generated PET reports in Chinese (ROUGE-L)", "classroom", "reports_zh"),
    ("The same in English", "classroom", "reports_en"),
    ("The third, rationales that a large language model wrote, from a start checkpoint of ours", "real", ""),
)


def findings_section() -> str:
    """What the main experiment found: in short, then a row a claim, then sentences on it and on the other studies."""
    # Imported late: lists of parameters need no tables.
    from ases.cell_texts import cell_findings, cost_findings, seeds_findings, short_answer, variant_findings
    from ases.claims import claims_shown
    from ases.efficiency import efficiency_findings
    from ases.publishing import published_table

    of_all = (
        published_table(f"{one}.csv", "classroom", STEPS["experiment"]) for one in ("claims", "plateau", "budgets")
    )
    claims, plateau, budgets = of_all
    if claims is None or plateau is None or budgets is None:
        return "*The main experiment has not been published yet.*"
    shown = claims_shown(claims)
    answer = short_answer(budgets)
    lines = [f"**In short.** {answer[0]}", "", *(f"- {one}" for one in answer[1:])]
    lines += [
        "",
        "What the paper claims, or what its explanation implies, each arm with the best budget of those that all had:",
        "",
    ]
    lines += [f"| {' | '.join(shown)} |", f"|{'---|' * len(shown.columns)}"]
    lines += [f"| {' | '.join(_plain(one) for one in row)} |" for row in shown.itertuples(index=False)]
    title = "Each arm with the budget that was best for it on validation questions, of those that all arms had"
    lines += _listed(title, cell_findings(plateau))
    tokens = budgets[budgets["budget"].str.endswith(" target_tokens")]
    if len(tokens):
        title = "At equal target tokens, which cost more FLOPs where questions are read again and again"
        lines += _listed(title, [*cell_findings(tokens), *cost_findings(tokens)])
    named = ("efficiency", "multiples", "flops")
    sizes, multiples, flops = (published_table(f"{one}.csv", "classroom", STEPS["efficiency"]) for one in named)
    if sizes is not None and multiples is not None and flops is not None:
        seeds = "one seed, so that intervals cover the choice of questions alone" if (sizes["seeds"] == 1).all() else ""
        where = ", ".join(filter(None, [f"`{STEPS['efficiency']}`", seeds]))
        found = [*efficiency_findings(sizes, multiples), *seeds_findings(flops, budgets)]
        shared = flops.groupby("budget")["train_size"].transform("nunique") == flops["train_size"].nunique()
        for size, rows in flops[~shared].groupby("train_size"):
            said = " ".join([*cell_findings(rows), *_had_reached(flops[flops["train_size"] == size], rows)])
            found.append(f"With a budget that not all sizes have: {said}")
        title = f"By training-set size, each arm with the best of the budgets that all sizes have ({where})"
        lines += _listed(title, found)
    variants = published_table("sensitivity.csv", "classroom", STEPS["sensitivity"])
    if variants is not None:
        title = f"Exploratory, what else could change the order (`{STEPS['sensitivity']}`)"
        lines += _listed(title, variant_findings(variants))
    for title, size, task in _OTHER_TASKS:
        found = published_table("plateau.csv", size, STEPS["experiment"], task)
        if found is not None:
            lines += _listed(title, cell_findings(found))
    return "\n".join(lines)


def _listed(title: str, sentences: list[str]) -> list[str]:
    """The lines of a list under its title, with an empty line before and after that."""
    return ["", f"{title}:", "", *(f"- {one}" for one in sentences)]


def _had_reached(flops: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """That seq2seq was better with less compute than in these rows, where it was: a lead over it is then no gain."""
    from ases.measures import measure_in  # late, as above

    measure = measure_in(flops)
    before, now = (one.loc[one["arm"] == BASELINE, measure.column].max() for one in (flops, rows))
    return [f"With less compute {BASELINE} had reached {measure.text(before)}."] if before > now else []


def parameters_section() -> str:
    """Every parameter once, with type and meaning; and for each notebook the names that it accepts, as Markdown.

    Where notebooks explain a parameter in different words, the first one's stand.
    """
    accepted = {path.stem: declared(path) for path in notebooks()}
    known: dict[str, Declared] = {}
    for names in accepted.values():
        for name, one in names.items():
            known.setdefault(name, one)
    lines = ["| parameter | type | what it is |", "|---|---|---|"]
    for name, one in known.items():
        kinds = one.annotation.replace(" | None", "")
        lines.append(f"| `{name}` | {kinds} | {_plain(one.help)} |")
    lines.append("")
    for stem, names in accepted.items():
        shown = [f"`{name}`" if one.default is None else f"`{name}={_shown(one)}`" for name, one in names.items()]
        lines.append(f"- [{stem}](notebooks/{stem}.ipynb): {', '.join(shown)}")
    return "\n".join(lines)


SECTIONS: dict[str, Callable[[], str]] = {"findings": findings_section, "parameters": parameters_section}


def marks_of(section: str) -> tuple[str, str]:
    """The two lines of the README between which a section stands."""
    return f"<!-- {section}: written by `python -m ases reference` -->", f"<!-- end of {section} -->"


def with_sections(text: str) -> str:
    """A README with its sections as they should be. Raises RunError where the two marks of one are missing."""
    for name, write in SECTIONS.items():
        begin, end = marks_of(name)
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise RunError(f"README.md needs the two lines {begin} and {end}, between which the {name} are written")
        text = f"{before}{begin}\n\n{write()}\n\n{end}{after}"
    return text


def renew_readme() -> Path:
    """Write the sections into README.md; returns its path."""
    path = root() / "README.md"
    path.write_text(with_sections(path.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def _plain(text: str) -> str:
    return text.replace("|", "\\|")


def _shown(one: Declared) -> str:
    return one.default if isinstance(one.default, str) and one.default else json.dumps(one.default)
