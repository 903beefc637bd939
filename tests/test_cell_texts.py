"""Sentences about grids: every figure in them is the table's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ases.cell_texts import cell_findings, cost_findings, rouge_findings, short_answer, variant_findings
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
    assert len(by_flops(table)) == 4


def test_sentences_about_rouge_read_its_own_columns() -> None:
    made = scored(grid({key: share for key, share in TWO.items() if key[1] == SMALL}))
    table = cell_table(made)
    (line,) = rouge_findings(table.assign(rouge_l_difference=[np.nan, -0.1234], rouge_l_p_holm=[np.nan, 0.01]))
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
    assert not said({(arm, LARGE): 0.2 for arm in ("seq2seq", "uni-path")}), "nobody answers alone"
    made = scored(grid(low))
    (rouge,) = rouge_findings(cell_table(made))
    assert "not told apart from their baseline: answer-only" in rouge and "learned" not in rouge


def test_the_short_answer_counts_as_es_arms_and_names_those_that_are_better() -> None:
    shares = {"answer-only": 0.95, "seq2seq": 0.5, "uni-path": 0.9, "uni-path-merged": 0.1, "dual-path": 0.5}
    table = cell_table(grid({(arm, LARGE): share for arm, share in (shares | {"lookup": 0.95}).items()}, seeds=2))
    apart = table.set_index("arm")["difference"]
    (line,) = short_answer(table)
    named = f"(500 training examples, {LARGE}: uni-path ({100 * apart['uni-path']:+.1f}))"
    counted = f"1 clearly better {named}, 1 clearly worse, 1 not told apart."
    assert line == f"At equal training FLOPs, of 3 comparisons of an AS-ES arm with its baseline: {counted}"
    turned = table.assign(difference=-table["difference"], budget=TOKENS)
    one = table[table["arm"].isin(["seq2seq", "uni-path-merged"])]
    first, second = short_answer(pd.concat([one, turned]))
    assert first.startswith("At equal training FLOPs, of 1 comparison of") and ": 0 clearly better, 1 clearly" in first
    assert second.startswith("At equal target tokens, of 3 ") and "uni-path-merged (+" in second
    assert short_answer(table[table["arm"].isin(["seq2seq", "lookup"])]) == []
    floor = cell_table(grid({(arm, LARGE): 0.2 for arm in ("answer-only", "seq2seq", "uni-path", "dual-path")}))
    untaught = "of arms that have learned too little to be compared."
    assert short_answer(floor) == [f"2 are {untaught}"]
    assert short_answer(pd.concat([table, floor.assign(train_size=125)])) == [line, f"2 more are {untaught}"]


def test_variants_that_are_worse_are_counted_and_the_others_named() -> None:
    shares = {"seq2seq": 0.5, "uni-path": 0.9, "uni-path-merged": 0.1, "dual-path": 0.2, "dual-path-merged": 0.5}
    table = cell_table(grid({(arm, LARGE): share for arm, share in shares.items()}, seeds=1))
    apart = 100 * table.set_index("arm")["difference"]
    worse = f"2 worse, by {-apart['dual-path']:.1f} to {-apart['uni-path-merged']:.1f} points"
    alike = f"1 not told apart (dual-path-merged ({apart['dual-path-merged']:+.1f}))"
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
