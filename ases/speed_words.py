"""What the tables of the performance notebook say, as sentences: every number in them is read from a table.

>>> print(scoring_words(performance.scoring(run)))                              # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ases.errors import DataError
from ases.performance import GPU, GPU_PEAK, GPU_SHARE

GOAL_SCORING, GOAL_MEMORY = 90, 1 / 3
"""Times the plain procedure that scoring should be, in float32, and the most of its memory that it should take."""

GOALS_BATCHES = {1: 1.3, 2: 4.0}
"""Times shuffled batches padded to the longest, and shuffled ones padded to a fixed length, that ours should be."""

GOALS_PADDING = {"uni-path": 0.10, "seq2seq": 0.20}
"""The most padding that a method's batches should have."""

GOALS_ENGINES = {"transformers": 12, "ctranslate2": 20}
"""Times the plain loop that batched engines should be, in float32."""

GOAL_SAME = 0.995
"""The share of segments on which the two engines should agree."""

GOAL_GROWTH = 20
"""MiB that 100,000 further questions may take: the hashes by which finished ones are known (:mod:`ases.journal`)."""

_ONE, _SEVERAL = 1.1, 1.25
"""Processor seconds a second of one busy worker, at most, and of more than one, at least."""

_MANY = 10_000
"""Further questions from which growth can be told from what the system rounds."""

_NOTHING = "Not measured: `parts` leaves it out."


def scoring_words(table: pd.DataFrame) -> str:
    """How much faster, against the goal, and what sets the limit."""
    if table.empty:
        return _NOTHING
    lines = []
    for data, rows in table.groupby("data", sort=False):
        ours = rows[(rows["procedure"] == "ours") & (rows["precision"] == "float32")].set_index("condition")
        times, dynamic = ours["times_plain"], rows[rows["procedure"] == "dynamic padding"].iloc[0]
        single = [f"{times[name]:.0f}x for the condition {name}" for name in ours.index if " and " not in name]
        low = ours[[" and " not in name for name in ours.index]]
        short = low[low["times_plain"] < GOAL_SCORING]
        if short.empty:
            verdict = f"the goal of {GOAL_SCORING}x is met"
        else:
            worst = short["times_plain"].min()
            verdict = f"the goal of {GOAL_SCORING}x is missed by {_percent(1 - worst / GOAL_SCORING)}"
        row = low.loc[low["times_plain"].idxmin()]
        lines.append(
            f"- **{data}**: {' and '.join(single)}; {verdict}. Dynamic padding alone gives "
            f"{dynamic['times_plain']:.0f}x. Of the machine's matrix rate ours reaches "
            f"{_range(low['matrix_share'], _percent)}, the plain procedure {_percent(rows['matrix_share'].iloc[0])}. "
            "If every counted operation ran once at the full rate, it would be "
            f"{_range(low['limit'], lambda value: f'{value:.0f}x')}: the plain procedure reads and writes as many "
            f"tokens whatever the text, ours only those that are there, {row['question_tokens']:.0f} a question and "
            f"{row['piece_tokens']:.1f} a piece. This vocabulary makes {row['tokens_per_word']:.2f} tokens of a word "
            "(it splits numbers into digits), and the limit falls as they grow."
        )
    return "\n".join(lines)


def resources_words(memory: pd.DataFrame, processes: pd.DataFrame, precision: pd.DataFrame) -> str:
    """Memory, several processes and bf16, one line each."""
    lines = []
    if len(memory):
        share = memory.set_index("procedure")["share_of_plain"]["ours"]
        verdict = "is met" if share <= GOAL_MEMORY else "is missed"
        lines.append(f"- Memory: {_percent(share)} of the plain procedure's; the goal of at most a third {verdict}.")
    if len(processes):
        row = processes.iloc[-1]
        lines.append(
            f"- Processes: {row['processes']:.0f} score {row['speed_up']:.2f} times as fast as one, and give the same "
            "scores."
        )
    if len(precision):
        lines.append(
            f"- {precision['precision'].iloc[0]}: the mean score of a piece is off by "
            f"{precision['mean_error'].max():.2g} nats a token or less on average, "
            f"{precision['largest_error'].max():.2g} at most; at most "
            f"{_percent(precision['labels_changed'].max(), 1)} of the labels change."
        )
    return "\n".join(lines) or _NOTHING


def hours_words(table: pd.DataFrame) -> str:
    """What is measured, what is assumed, and the hours that follow."""
    if table.empty:
        return _NOTHING
    lines = []
    for device, rows in table.groupby("device", sort=False):
        one = rows[rows["count"] == 1].sort_values("rationales")
        many = rows[rows["count"] == rows["count"].max()].sort_values("rationales")
        parts = [
            f"{a['rationales']:,.0f} rationales: {_hours(a['hours'])} on one, {_hours(b['hours'])} on {b['count']:.0f}"
            for (_, a), (_, b) in zip(one.iterrows(), many.iterrows(), strict=True)
        ]
        lines.append(f"- **{device}**: {'; '.join(parts)}.")
    head = (
        "**Measured**: the rate of one thread here, and that two processes keep "
        f"{_percent(table['efficiency'].iloc[0])} of twice one's rate. **Assumed**: that more devices keep as much, "
        f"and all that is said of the {GPU}: its peak of {GPU_PEAK / 1e12:.0f} TFLOP/s (bf16, dense) is its maker's "
        "figure, no GPU was measured, and small models on short texts may fill one far worse than they fill a "
        f"processor (hence the last row, with {_percent(GPU_SHARE)})."
    )
    return "\n".join([head, "", *lines])


def batches_words(table: pd.DataFrame) -> str:
    """Ours against the two other ways, and padding against its goals."""
    if table.empty:
        return _NOTHING
    lines = []
    for (data, method), rows in table.groupby(["data", "method"], sort=False):
        times, waste = list(rows["times"]), rows["padding_waste"].iloc[0]
        parts = [
            f"{times[place]:.2g}x {rows['batches'].iloc[place]} (goal {goal:g}x: {_met(times[place] >= goal)})"
            for place, goal in GOALS_BATCHES.items()
        ]
        goal = GOALS_PADDING[method]
        lines.append(
            f"- **{data}, {method}**: {' and '.join(parts)}; {_percent(waste, 1)} padding (goal below "
            f"{_percent(goal)}: {_met(waste < goal)})."
        )
    return "\n".join(lines)


def engines_words(table: pd.DataFrame) -> str:
    """Each engine's gain against its goal, accuracy, how well the engines agree, and whether int8 had one worker."""
    if table.empty:
        return _NOTHING
    lines = ["The plain loop is timed once, as it is long; of the others the best of three counts.", ""]
    for data, rows in table.groupby("data", sort=False):
        parts = []
        for engine, goal in GOALS_ENGINES.items():
            own = rows[(rows["engine"] == engine) & (rows["compute_type"] == "float32") & (rows["batch"] > 1)]
            for times in own["times_plain"]:
                parts.append(f"{engine} {times:.1f}x (goal {goal}x: {_met(times >= goal)})")
        exact = rows[rows["compute_type"] == "float32"]["accuracy"]
        right = f"accuracy {_range(exact, lambda value: _percent(value, 1))} in float32"
        quick = rows[rows["compute_type"] == "int8"]
        right += f", {_percent(quick['accuracy'].iloc[0], 1)} in int8" if len(quick) else ""
        same = rows["same_segments"].dropna()
        agree = ""
        if len(same):
            margin = rows["largest_margin"].dropna()
            agree = f" transformers and CTranslate2 agree on {_percent(same.iloc[0], 2)} of the segments "
            agree += f"(goal {_percent(GOAL_SAME, 1)}: {_met(same.iloc[0] >= GOAL_SAME)})"
            if len(margin):
                agree += f"; the logits of the two tokens at which they part differ by {margin.iloc[0]:.2g} at most"
            agree += "."
        lines.append(f"- **{data}**: {'; '.join(parts)}; {right}.{agree}{_one_worker(rows)}")
    return "\n".join(lines)


def _one_worker(rows: pd.DataFrame) -> str:
    """That int8 was computed by one worker where float32 was by several, from the processor's seconds; else empty."""
    fast = rows[rows["engine"] == "ctranslate2"].drop_duplicates("compute_type").set_index("compute_type")
    if not {"float32", "int8"} <= set(fast.index):
        return ""
    busy = fast["cpu_seconds"] / fast["seconds"]
    if busy["int8"] > _ONE or busy["float32"] < _SEVERAL:
        return ""
    return (
        f" In int8 only one worker was busy ({busy['int8']:.2f} seconds of the processor a second, float32 "
        f"{busy['float32']:.2f}), so that this is the speed of one of {fast['threads']['int8']:.0f} threads."
    )


def cost_words(table: pd.DataFrame, questions: pd.DataFrame) -> str:
    """What a batch saves, how far from the operations alone, and whether memory grows.

    Raises DataError as :func:`check_batches` does.
    """
    lines = []
    check_batches(table)
    for data, rows in table.groupby("data", sort=False) if len(table) else ():
        small, large = rows["batch"].min(), rows["batch"].max()
        seconds = rows.pivot(index="turns", columns="batch", values="seconds_per_question")
        ideal = rows[rows["batch"] == large].set_index("turns")
        gain, above = seconds[small] / seconds[large], ideal["seconds_per_question"] / ideal["ideal_seconds"]
        lines.append(
            f"- **{data}**: in batches of {large} a question takes {_range(gain, lambda value: f'{value:.1f}')} times "
            "less than alone, by the length of its chain; that is still "
            f"{_range(above, lambda value: f'{value:.0f}')} times what its operations alone would take."
        )
    if len(questions):
        ordered = questions.sort_values("questions")
        first, last = ordered.iloc[0], ordered.iloc[-1]
        lines.append(
            f"- Memory: {last['peak_mb']:,.0f} MiB at the peak for {last['questions']:,.0f} questions, "
            f"{first['peak_mb']:,.0f} MiB for {first['questions']:,.0f}; {_growth(ordered)}."
        )
    return "\n".join(lines) or _NOTHING


def check_batches(table: pd.DataFrame) -> None:
    """Raise DataError where a cost table has a batch larger than its number of questions: none was ever so large."""
    if table.empty:
        return
    small = table[table["batch"] > table["questions"]]
    if len(small):
        row = small.iloc[0]
        raise DataError(
            f"cost: {len(small)} rows have a batch larger than the number of questions asked, the first a batch of "
            f"{row['batch']} of {row['questions']} questions; delete the table and measure it anew"
        )


def _growth(questions: pd.DataFrame) -> str:
    """MiB for 100,000 further questions, from the two largest numbers: before, libraries still set things up."""
    if len(questions) < 2 or questions["questions"].diff().iloc[-1] < _MANY:
        return "so few questions cannot tell whether it grows"
    change = questions[["questions", "peak_mb"]].diff().iloc[-1]
    growth = 100_000 * change["peak_mb"] / change["questions"]
    return (
        f"between the two largest numbers it grows by {growth:.0f} MiB for 100,000 further questions (goal: at most "
        f"{GOAL_GROWTH}, what the hashes of finished ones take: {_met(growth <= GOAL_GROWTH)})"
    )


def rows_words(table: pd.DataFrame) -> str:
    """How long problems and a file take, and the most memory."""
    if table.empty:
        return _NOTHING
    made, of_file = table.iloc[0], table.iloc[1:]
    return (
        f"{made['rows']:,.0f} problems are generated in {made['seconds']:.1f} s on one thread. A file of "
        f"{of_file['rows'].iloc[0]:,.0f} records is written, checked, split and looked through in "
        f"{of_file['seconds'].sum():.0f} s, with {of_file['peak_mb'].max():,.0f} MiB at the most, and each record is "
        "accounted for."
    )


def where_words(durations: pd.DataFrame) -> str:
    """Machine, threads and versions, from the table of how long each part took."""
    lines = []
    for (machine, cores, versions), rows in durations.groupby(["machine", "cores", "versions"], sort=False):
        parts = [f"{threads} in {', '.join(own['part'])}" for threads, own in rows.groupby("threads")]
        lines.append(f"- {machine}, {cores} cores; {versions}. Threads: {'; '.join(parts)}.")
    return "\n".join(lines) or _NOTHING


def _met(good: bool) -> str:
    return "met" if good else "missed"


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %"


def _range(values: pd.Series, text: Callable[[float], str]) -> str:
    low, high = text(values.min()), text(values.max())
    return low if low == high else f"{low} to {high}"


def _hours(value: float) -> str:
    if value < 1 / 60:
        return f"{3600 * value:.2g} seconds"
    if value < 1:
        return f"{60 * value:.2g} minutes"
    return f"{value:,.3g} hours" if value < 1000 else f"{value / 24:,.0f} days"
