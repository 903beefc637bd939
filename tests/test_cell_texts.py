"""Sentences about grids: every figure in them is the table's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ases.cell_texts import (
    cell_findings,
    cost_findings,
    over_answers,
    rouge_findings,
    seeds_findings,
    short_answer,
    variant_findings,
)
from ases.cells import Grid, by_flops, cell_table
from ases.certainty import few_seeds
from ases.planning import power_line
from tests.made_grids import LARGE, SEEDS, SMALL, TWO, N, grid, scored

TOKENS = "400e3 target_tokens"


def test_sentences_read_the_table() -> None:
    table = cell_table(grid({**TWO, ("uni-path", SMALL): 0.95}))
    first, second = cell_findings(table)
    shown = table.set_index(["budget", "arm"])
    apart = 100 * shown.loc[(SMALL, "uni-path"), "difference"]
    assert first.startswith("500 training examples, 1e12 flops: seq2seq reaches")
    assert f"better are uni-path (+{apart:.1f})" in first
    assert "4e12 flops" in second
    assert f"{N} test questions and {SEEDS} seeds" in power_line(table) and "too few" not in power_line(table)
    assert power_line(cell_table(grid(TWO, seeds=2))).endswith(few_seeds(2))
    line, strict = power_line(table), table["detectable_corrected"].dropna()
    assert line.count("training examples") == 1
    assert f", {100 * strict.median():.1f} and {100 * strict.max():.1f} at the strictest step of Holm's" in line
    sizes = power_line(pd.concat([table, table.assign(train_size=2000)]))
    assert "is: with 500 training examples" in sizes and "; with 2,000 training examples" in sizes
    assert "Holm" not in power_line(table[table["budget"] == SMALL]), "one comparison needs no correction"
    assert len(by_flops(table)) == 4


def test_sentences_about_rouge_read_its_own_columns() -> None:
    made = scored(grid({key: share for key, share in TWO.items() if key[1] == SMALL}))
    table = cell_table(made)
    own = {f"rouge_l_difference{end}": [np.nan, by - 0.1234] for end, by in (("", 0), ("_low", -0.1), ("_high", 0.1))}
    (line,) = rouge_findings(table.assign(**own, rouge_l_p_holm=[np.nan, 0.01]))
    reached = f"{table['rouge_l'].iloc[0]:.3f}"
    assert line.startswith("ROUGE-L, 500 training examples") and f"reaches {reached}" in line
    assert "worse are uni-path (-0.123)" in line, "accuracy's difference is another, and above 0"
    reports = cell_table(Grid(made.predictions.drop(columns="correct"), made.costs, made.baselines))
    assert rouge_findings(reports) == []


def test_where_rationales_have_taught_nobody_to_answer_it_is_said() -> None:
    arms = {"answer-only": 0.2, "seq2seq": 0.2, "uni-path": 0.2}
    low, high = ({(arm, LARGE): share for arm, share in shares.items()} for shares in (arms, arms | {"uni-path": 0.9}))

    def said(shares: dict[tuple[str, str], float]) -> bool:
        (line,) = cell_findings(cell_table(grid(shares)))
        assert line.startswith("500 training examples, 4e12 flops: seq2seq reaches")
        return line.endswith("they have learned little, and comparing them says little.")

    assert said(low) and not said(high)
    assert not said(low | {("seq2seq", LARGE): 0.9}), "seq2seq has learned to answer"
    ahead = cell_table(grid(low | {("seq2seq", LARGE): 0.35})).assign(p_holm=1.0)
    (line,) = cell_findings(ahead)
    assert "not told apart from their baseline: answer-only" in line and "learned" not in line, "no sign, but no floor"
    assert said(low | {("lookup", LARGE): 0.9}), "the lookup has learned nothing"
    answers = {("answer-only", LARGE): 0.6, ("seq2seq", LARGE): 0.2, ("uni-path", LARGE): 0.6}
    assert said(answers), "who is better than seq2seq, but not than answer-only, has learned to guess"
    assert not said(answers | {("uni-path", LARGE): 0.9})
    assert not said({(arm, LARGE): 0.2 for arm in ("seq2seq", "uni-path")}), "nobody answers alone"
    made = scored(grid(low))
    (rouge,) = rouge_findings(cell_table(made))
    assert "not told apart from their baseline: answer-only" in rouge and "learned" not in rouge


def test_the_short_answer_counts_as_es_arms_and_controls_apart() -> None:
    shares = {"answer-only": 0.2, "seq2seq": 0.5, "uni-path": 0.9, "uni-path-merged": 0.1, "dual-path": 0.5}
    table = cell_table(grid({(arm, LARGE): share for arm, share in (shares | {"lookup": 0.95}).items()}, seeds=2))
    ahead = f"(uni-path ({100 * table.set_index('arm')['difference']['uni-path']:+.1f}))"
    counted = (
        "of 2 comparisons of AS-ES arms, 0 clearly better, 1 clearly worse, 1 not told apart; of 1 comparison of "
        f"controls, which iterate without it, 1 clearly better {ahead}, 0 clearly worse, 0 not told apart"
    )
    place = f"500 training examples, {LARGE}"
    both = short_answer(table)
    assert both[0] == f"At equal training FLOPs, {counted}."
    assert both[1] == f"{place}: {counted}; 2 of the 3 answer clearly more than answer-only does."
    one = table[table["arm"].isin(["seq2seq", "uni-path-merged"])]
    whole, first, second = short_answer(pd.concat([one, table.assign(budget=TOKENS)]))
    assert whole.startswith("At equal training FLOPs, of 1 comparison of AS-ES arms, 0 clearly better, 1 clearly worse")
    assert f"0 not told apart. At equal target tokens, {counted}." in whole
    assert first.startswith(place) and "answer-only" not in first
    assert second.startswith(f"500 training examples, {TOKENS}: {counted}")
    assert short_answer(table[table["arm"].isin(["seq2seq", "lookup"])]) == []
    several = pd.concat([table, table.assign(train_size=2000)])
    assert f"{place}: uni-path" in short_answer(several)[0] and place not in short_answer(several)[1].split(": ", 1)[1]
    floor = cell_table(grid({(arm, LARGE): 0.2 for arm in ("answer-only", "seq2seq", "uni-path", "dual-path")}))
    untaught = f"{place}: all have learned too little to be compared."
    assert short_answer(floor) == [untaught]
    assert short_answer(pd.concat([table.assign(train_size=2000), floor]))[-1] == untaught


def test_more_seeds_stand_beside_few() -> None:
    few, more = cell_table(grid(TWO, seeds=1)), cell_table(grid(TWO, seeds=4))
    lines = seeds_findings(few, more[more["budget"] == LARGE])
    one, four = (
        100 * table.set_index(["budget", "arm"]).loc[(LARGE, "uni-path")]["difference"] for table in (few, more)
    )
    (line,) = lines
    assert line.startswith(
        f"500 training examples, {LARGE}: uni-path {one:+.1f} points over its baseline, with 4 seeds {four:+.1f} ("
    )
    assert seeds_findings(more, few) == seeds_findings(few, few) == []


def test_how_many_methods_beat_answers_alone_is_counted() -> None:
    ends = {"answer-only": 0.3, "seq2seq": 0.9, "uni-path": 0.5, "dual-path": 0.32}
    rows = [
        {"method": name, "accuracy": value, "low": value - 0.02, "high": value + 0.02} for name, value in ends.items()
    ]
    table = pd.DataFrame(rows)
    assert over_answers(table) == "1 of the 2 answer clearly more than answer-only does."
    assert over_answers(table[1:]) == over_answers(table.rename(columns={"accuracy": "rouge_l"})) == ""


def test_what_is_not_told_apart_has_its_interval_in_the_sentence() -> None:
    table = cell_table(grid({(arm, LARGE): 0.5 for arm in ("seq2seq", "uni-path")}))
    row = 100 * table.set_index("arm").loc["uni-path", ["difference", "difference_low", "difference_high"]].astype(
        float
    )
    (line,) = cell_findings(table)
    assert f"uni-path ({row.iloc[0]:+.1f}; {row.iloc[1]:+.1f} to {row.iloc[2]:+.1f})." in line
    (line, _) = variant_findings(table)
    assert f"uni-path ({row.iloc[0]:+.1f}; {row.iloc[1]:+.1f} to {row.iloc[2]:+.1f}))." in line


def test_a_lead_over_a_baseline_that_has_fallen_is_told_with_it() -> None:
    shares = {"seq2seq": 0.7, "seq2seq, init=seq2seq": 0.4, "uni-path, init=seq2seq": 0.9, "uni-path": 0.95}
    table = cell_table(grid({(arm, LARGE): share for arm, share in shares.items()}))
    told = " `uni-path, init=seq2seq` is held against `seq2seq, init=seq2seq`, which reaches less than seq2seq."
    assert variant_findings(table)[1].endswith(f"%.{told}")
    assert told not in variant_findings(table[table["arm"] != "seq2seq"])[1]
    risen = cell_table(grid({(arm, LARGE): shares[arm] if arm != "seq2seq" else 0.3 for arm in shares}))
    assert told not in variant_findings(risen)[1]


def test_variants_that_are_worse_are_counted_and_the_others_named() -> None:
    shares = {"seq2seq": 0.5, "uni-path": 0.9, "uni-path-merged": 0.1, "dual-path": 0.2, "dual-path-merged": 0.5}
    table = cell_table(grid({(arm, LARGE): share for arm, share in shares.items()}, seeds=1))
    apart = 100 * table.set_index("arm")["difference"]
    worse = f"2 worse, by {-apart['dual-path']:.1f} to {-apart['uni-path-merged']:.1f} points"
    ends = (100 * table.set_index("arm").loc["dual-path-merged", f"difference_{end}"] for end in ("low", "high"))
    alike = "1 not told apart (dual-path-merged ({:+.1f}; {:+.1f} to {:+.1f}))".format(apart["dual-path-merged"], *ends)
    first, second = variant_findings(table)
    better = f"1 better than their baselines (uni-path (+{apart['uni-path']:.1f}))"
    start, base = "500 training examples, 4e12 flops, one seed", table["accuracy"].iloc[0]
    assert first == f"{start}: of 4 arms, {better}, {worse}, {alike}."
    assert second == f"{start}, their baselines: seq2seq reaches {base:.1%}."
    one = variant_findings(table[table["arm"].isin(["seq2seq", "dual-path"])])[0]
    assert one.endswith(
        f"of 1 arms, 0 better than their baselines, 1 worse, by {-apart['dual-path']:.1f} points, 0 not told apart."
    )


def test_what_equal_tokens_cost_is_said_in_times_of_seq2seq() -> None:
    rows = [("4e12 flops", "uni-path", 4e12), ("4e12 flops", "seq2seq", 4e12), (TOKENS, "seq2seq", 2e12)]
    rows += [(TOKENS, "uni-path", 5e12), (TOKENS, "dual-path", 1e12), (TOKENS, "lookup", 0.0)]
    table = pd.DataFrame(rows, columns=["budget", "arm", "training_flops"]).assign(train_size=2000, seeds=2)
    (line,) = cost_findings(table)
    assert line.startswith(f"2,000 training examples, {TOKENS}: ")
    assert line.endswith("training costs, as a multiple of seq2seq's FLOPs, uni-path (2.5), dual-path (0.5).")
    assert cost_findings(table[:3]) == cost_findings(table[table["arm"] != "seq2seq"]) == []
