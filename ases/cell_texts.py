"""The tables of a grid -> sentences, and a table to read; every figure in them is read from those of :mod:`ases.cells`.

>>> cell_findings(cell_table(gather(runs.cells(run))))                           # doctest: +SKIP
['500 training examples, 1e12 flops: seq2seq reaches 30.0%; better are uni-path (+30.0).']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pandas as pd

from ases.arms import LEARNING_RATE, LOOKUP, arm_text, by_segments, is_control, read_arm
from ases.cells import at_floor
from ases.choices import BASELINE
from ases.measures import MEASURES, Measure, measure_in
from ases.verdicts import CLOSE, accuracy_of, apart, unit_of

_ENDS = ("difference", "difference_low", "difference_high")


def short_cells(table: pd.DataFrame) -> pd.DataFrame:
    """A :func:`ases.cells.cell_table` for a reader: an arm a row, texts with intervals, costs in powers of ten."""
    measure = measure_in(table)
    text, difference = measure.text, measure.difference_text
    rows = table.to_dict("records")
    return pd.DataFrame(
        {
            "examples": table["train_size"],
            "budget": table["budget"],
            "arm": table["arm"],
            f"{measure.label} (95 % interval)": [
                f"{text(row[measure.column])} ({text(row['low'])} to {text(row['high'])})" for row in rows
            ],
            f"{unit_of(measure)} over its baseline": [_with_interval(row, difference) for row in rows],
            "p (Holm)": ["" if pd.isna(p) else f"{p:.2g}" for p in table["p_holm"]],
            "BLEU": table["bleu"].round(1),
            **_bleu_text(rows),
            "learning rate": ["" if pd.isna(rate) else f"{rate:g}" for rate in table[LEARNING_RATE]],
            "epochs": table["epochs"].round(1),
            "training FLOPs": [f"{flops:.2g}" for flops in table["training_flops"]],
            "scorer FLOPs": [f"{flops:.2g}" if flops else "" for flops in table["scorer_flops"]],
            "target tokens": [f"{tokens:.2g}" for tokens in table["target_tokens"]],
            "seeds": table["seeds"],
        }
    ).set_index(["examples", "budget", "arm"])


def _bleu_text(rows: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """The differences in sentence BLEU as a column of texts, with a star where the corrected p is below 0.05."""
    if not rows or "bleu_difference" not in rows[0]:
        return {}
    stars = [" *" if row["bleu_p_holm"] < 0.05 else "" for row in rows]
    texts = [_with_interval(row, "{:+.1f}".format, "bleu_") + star for row, star in zip(rows, stars, strict=True)]
    return {"sentence BLEU over its baseline (*: p below 0.05)": texts}


def _with_interval(row: dict[str, Any], text: Callable[[float], str], start: str = "") -> str:
    """The difference in a row, ``start`` before its columns' names, with its interval; empty where there is none."""
    value, low, high = (row[f"{start}{name}"] for name in _ENDS)
    return "" if pd.isna(value) else f"{text(value)} ({text(low)} to {text(high)})"


def cell_findings(table: pd.DataFrame) -> list[str]:
    """A :func:`ases.cells.cell_table` in sentences, a training-set size and budget at a time, naming every arm.

    They say, too, where rationales have taught nobody to answer yet: seq2seq leads answer-only by less than
    :data:`ases.verdicts.CLOSE` there (the whole interval), and no trained arm is better than both.
    """
    measure, lines = measure_in(table), []
    for start, part in _parts(table):
        better, worse, rest = _told_apart(part)
        said = [_reached(part, measure)]
        for word, rows in (("better", better), ("worse", worse)):
            said += [f"{word} are {_with_differences(rows, measure)}"] if len(rows) else []
        said += [f"not told apart from their baseline: {_with_intervals(rest, measure)}"] if len(rest) else []
        lines.append(f"{start}: {'; '.join(said)}.{_floor_text(part)}")
    return lines


def _floor_text(part: pd.DataFrame) -> str:
    if not at_floor(part):
        return ""
    return (
        f" Seq2seq leads answer-only by less than {100 * CLOSE:g} points here, and no trained arm is better than both: "
        "they have learned little, and comparing them says little."
    )


_UNITS = {"flops": "training FLOPs", "target_tokens": "target tokens", "epochs": "epochs"}


def short_answer(table: pd.DataFrame) -> list[str]:
    """How arms that write segment by segment fare in a :func:`ases.cells.cell_table`: in all, then by size and budget.

    AS-ES arms are counted apart from their controls, which iterate without it (:func:`ases.arms.is_control`). Those
    that are better are named; sizes and budgets with which nobody has learned to answer (:func:`cell_findings`) count
    for nothing. Of the others it is said how many answer more than answer-only, by intervals taken to be independent.
    """
    measure, whole, single = measure_in(table), [], []
    for unit, equal in _UNITS.items():
        learned = []
        for start, part in _parts(table[table["budget"].str.endswith(f" {unit}")]):
            rows = part[part["arm"].map(by_segments)]
            if at_floor(part):
                single.append(f"{start}: all have learned too little to be compared.")
            elif len(rows):
                learned.append(rows)
                single.append(f"{start}: {'; '.join([*_by_kind(rows, measure), *_over_answers(part, measure)])}.")
        if learned:
            whole.append(f"At equal {equal}, {'; '.join(_by_kind(pd.concat(learned), measure))}.")
    return [" ".join(whole), *single] if whole else single


def _by_kind(rows: pd.DataFrame, measure: Measure) -> Iterator[str]:
    """Of AS-ES arms and of controls, as far as there are any: how many are better, worse, and neither."""
    control = rows["arm"].map(is_control)
    for name, part in (("AS-ES arms", rows[~control]), ("controls, which iterate without it", rows[control])):
        better, worse, rest = _told_apart(part)
        if count := len(better) + len(worse) + len(rest):
            won = f" ({'; '.join(_won(better, measure))})" if len(better) else ""
            counts = f"{len(better)} clearly better{won}, {len(worse)} clearly worse, {len(rest)} not told apart"
            yield f"of {count} comparison{'s' * (count > 1)} of {name}, {counts}"


def _won(better: pd.DataFrame, measure: Measure) -> Iterator[str]:
    places = len(better[["train_size", "budget"]].drop_duplicates())
    for start, rows in _parts(better):
        yield f"{f'{start}: ' if places > 1 else ''}{_with_differences(rows, measure)}"


def _over_answers(part: pd.DataFrame, measure: Measure) -> Iterator[str]:
    alone, rows = part[part["arm"] == "answer-only"], part[part["arm"].map(by_segments)]
    if measure.share and len(alone):
        own = accuracy_of(alone.iloc[0])
        more = sum(apart(accuracy_of(row), own)[1] > 0 for _, row in rows.iterrows())
        yield f"{more} of the {len(rows)} answer clearly more than answer-only does"


def over_answers(table: pd.DataFrame) -> str:
    """Of a :func:`ases.evaluation.comparison_table`: how many methods answer more than answer-only; or nothing."""
    measure = measure_in(table)
    return "".join(
        f"{said[0].upper()}{said[1:]}." for said in _over_answers(table.rename(columns={"method": "arm"}), measure)
    )


def seeds_findings(few: pd.DataFrame, more: pd.DataFrame) -> list[str]:
    """Where two tables of cells hold the same arm, size and budget, the second with more seeds: what these say."""
    both = few.merge(more, on=["train_size", "budget", "arm"], suffixes=("", "_more"))
    both = both[both["difference"].notna() & both["difference_more"].notna() & (both["seeds_more"] > both["seeds"])]
    measure, lines = measure_in(few), []
    text, unit = measure.difference_text, unit_of(measure)
    for row in both.to_dict("records"):
        others = {name: row[f"{name}_more"] for name in _ENDS}
        place = f"{row['train_size']:,} training examples, {row['budget']}: {arm_text(row['arm'])}"
        with_more = f"with {row['seeds_more']} seeds {_with_interval(others, text)}"
        lines.append(f"{place} {text(row['difference'])} {unit} over its baseline, {with_more}.")
    return lines


def variant_findings(table: pd.DataFrame) -> list[str]:
    """A :func:`ases.cells.cell_table` of many variants, shorter: those that are worse are counted and not named."""
    measure, lines = measure_in(table), []
    for start, part in _parts(table):
        better, worse, rest = _told_apart(part)
        ends = [measure.difference_text(one).lstrip("+") for one in sorted(-worse["difference"])]
        by = f", by {' to '.join(dict.fromkeys([ends[0], ends[-1]]))} {unit_of(measure)}" if ends else ""
        named = [_with_differences(better, measure), _with_intervals(rest, measure)]
        ahead, alike = (f" ({one})" if one else "" for one in named)
        said = f"{len(better)} better than their baselines{ahead}, {len(worse)} worse{by}, {len(rest)} not told apart"
        lines.append(f"{start}: of {len(better) + len(worse) + len(rest)} arms, {said}{alike}.")
        lines.append(f"{start}, their baselines: {_reached(part, measure)}.{_fallen(part, better, measure)}")
    return lines


def _fallen(part: pd.DataFrame, better: pd.DataFrame, measure: Measure) -> str:
    """Which of the better arms are held against one that reaches less than seq2seq, so that a lead is a smaller one."""
    reached = part.set_index("arm")[measure.column]
    bases = {arm: read_arm(arm).baseline for arm in better["arm"]}
    said = [
        f" {arm_text(arm)} is held against {arm_text(base)}, which reaches less than {BASELINE}."
        for arm, base in bases.items()
        if {base, BASELINE} <= set(reached.index) and reached[base] < reached[BASELINE]
    ]
    return "".join(said)


def _parts(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each training-set size and budget, and how a sentence on them begins."""
    for (size, budget), part in table.groupby(["train_size", "budget"], sort=False):
        alone = ", one seed" if (part["seeds"] == 1).all() else ""
        yield f"{size:,} training examples, {budget}{alone}", part


def _told_apart(part: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The arms that are clearly better than their baseline, those clearly worse, and the others that have one."""
    clear, ahead = part["p_holm"] < 0.05, part["difference"] > 0
    return part[clear & ahead], part[clear & ~ahead], part[part["difference"].notna() & ~clear]


def _reached(part: pd.DataFrame, measure: Measure) -> str:
    bases = part[part["difference"].isna()]
    named = zip(bases["arm"], bases[measure.column], strict=True)
    return ", ".join(f"{arm_text(arm)} reaches {measure.text(value)}" for arm, value in named)


def _with_differences(rows: pd.DataFrame, measure: Measure) -> str:
    named = zip(rows["arm"], rows["difference"], strict=True)
    return ", ".join(f"{arm_text(arm)} ({measure.difference_text(value)})" for arm, value in named)


def _with_intervals(rows: pd.DataFrame, measure: Measure) -> str:
    text = measure.difference_text
    named = ((arm_text(row["arm"]), _with_interval(row, text)) for row in rows.to_dict("records"))
    return ", ".join(f"{arm} ({found.replace(' (', '; ')}" for arm, found in named)


def rouge_findings(table: pd.DataFrame) -> list[str]:
    """:func:`cell_findings` of ROUGE-L where a :func:`ases.cells.cell_table` has it beside accuracy, else empty."""
    if "rouge_l_difference" not in table:
        return []
    own = [*_ENDS, "p_holm"]
    shown = table.drop(columns=["accuracy", *own]).rename(columns={f"rouge_l_{name}": name for name in own})
    return [f"{MEASURES['rouge_l'].label}, {line}" for line in cell_findings(shown)]


def cost_findings(table: pd.DataFrame) -> list[str]:
    """What arms of a :func:`ases.cells.cell_table` cost where budgets are not in FLOPs, in times of seq2seq."""
    lines = []
    rows = table[~table["budget"].str.endswith(" flops") & (table["training_flops"] > 0)]
    for start, part in _parts(rows):
        spent = part.set_index("arm")["training_flops"]
        if BASELINE in spent:
            times = (spent / spent[BASELINE]).drop(BASELINE)
            if said := ", ".join(f"{arm_text(arm)} ({value:.1f})" for arm, value in times.items()):
                cost = "training costs, as a multiple of seq2seq's FLOPs,"
                lines.append(f"{start}: {cost} {said}.")
    return lines


def length_findings(table: pd.DataFrame) -> list[str]:
    """A :func:`ases.cells.lengths_table` in sentences, one a size and budget: each arm's shortest and longest."""
    measure, lines = measure_in(table), []
    for start, part in _parts(table):
        said = []
        for arm, rows in part.groupby("arm", sort=False):
            texts = []
            for row in rows.iloc[[0, -1] if len(rows) > 1 else [0]].to_dict("records"):
                steps = dict.fromkeys([row["steps"], row.get("steps_to", row["steps"])])
                texts.append(f"{measure.text(row[measure.column])} at {' to '.join(map(str, steps))}")
            said.append(f"{arm_text(arm)} {', '.join(texts)}")
        lines.append(f"{start}, by steps of the reference: {'; '.join(said)}.")
    return lines


def plateau_line(plateau: pd.DataFrame, table: pd.DataFrame) -> str:
    """Which budget each arm did best with, and which were no choice, in words.

    Two :func:`ases.cells.cell_table`: ``plateau`` of :func:`ases.cells.at_plateau`, ``table`` of all budgets.
    """
    return " ".join([_edge_text(plateau), *_no_choice(plateau, table)])


def _no_choice(plateau: pd.DataFrame, table: pd.DataFrame) -> Iterator[str]:
    """Sentences about budgets of FLOPs that some arms have had and others have not."""
    rows = table[table["budget"].str.endswith(" flops") & ~table["arm"].str.startswith(LOOKUP)]
    tried = plateau.set_index(["train_size", "arm"])["tried"]
    for size, part in rows.groupby("train_size", sort=False):
        had = part.groupby("arm", sort=False)["budget"].nunique()
        if more := [arm for arm, count in had.items() if count > tried[size, arm]]:
            named = ", ".join(map(arm_text, more))
            yield f"With {size:,} training examples {named} had further budgets, no choice here, since others had not."


def _edge_text(plateau: pd.DataFrame) -> str:
    if plateau["tried"].max() == 1:
        return "There is one budget of FLOPs to choose from, so that nothing here shows a plateau."
    lines = []
    for size, part in plateau.groupby("train_size", sort=False):
        trained = part[(part["tried"] > 1) & (part["training_flops"] > 0)]
        if trained.empty:
            lines.append(f"with {size:,} training examples one budget of FLOPs was tried, which shows no plateau")
            continue
        edge = trained.loc[trained["largest"].astype(bool), "arm"].tolist()
        said = f"with {size:,} training examples {len(edge)} of {len(trained)} arms did best with the largest budget"
        lines.append(
            f"{said} ({', '.join(map(arm_text, edge))}), so that their plateaus may lie beyond it" if edge else said
        )
    return f"On validation questions, {'; '.join(lines)}."
