"""Grids -> tables: arms against their own baselines, plateaus chosen on validation and measured on test questions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ases.arms import read_arm, read_budget
from ases.cell_texts import cell_findings, length_findings, plateau_line, short_cells
from ases.cells import (
    BEST,
    Grid,
    against_usual,
    at_plateau,
    by_flops,
    cell_table,
    gather,
    lengths_table,
    seed_spread,
    with_common_budgets,
)
from ases.certainty import power_table
from ases.claims import CLAIMS, MARGIN, NOT_JUDGED, claims_shown, claims_table
from ases.effects import effect_sizes
from ases.errors import DataError
from ases.grid_figures import (
    arm_differences,
    arm_flops,
    arm_label,
    arm_lengths,
    arm_measures,
    claim_differences,
)
from ases.needs import Cell
from ases.planning import seeds_line, seeds_table
from ases.statistics import compare, holm
from tests.made_grids import LARGE, SEEDS, SMALL, TWO, N, grid, scored, with_steps


def test_every_arm_is_held_against_its_baseline_at_the_same_budget() -> None:
    made = grid(TWO)
    table = cell_table(made).set_index(["budget", "arm"])
    assert table["difference"].isna().tolist() == [True, False, True, False]
    for budget, sign in ((SMALL, 1), (LARGE, -1)):
        part = made.predictions[made.predictions["budget"] == budget]
        found = compare(part.assign(method=part["arm"]), baseline="seq2seq").iloc[0]
        row = table.loc[budget, "uni-path"]
        assert row["difference"] == found["difference"] and np.sign(row["difference"]) == sign
        assert (row["difference_low"], row["difference_high"]) == (found["low"], found["high"])
        assert row["detectable_corrected"] > row["detectable"] > 0
    raw = [
        compare(p.assign(method=p["arm"]), baseline="seq2seq")["p"].iloc[0]
        for _, p in made.predictions.groupby("budget", sort=False)
    ]
    assert table["p_holm"].dropna().tolist() == pytest.approx(holm(raw))  # over the whole table


@pytest.mark.parametrize("seeds", [1, SEEDS])
def test_bleu_and_rouge_are_compared_as_accuracy_is_each_corrected_for_itself(seeds: int) -> None:
    made = scored(grid(TWO, seeds=seeds))
    table = cell_table(made).set_index(["budget", "arm"])
    assert table["bleu"].eq(12).all(), "of the corpus, as before"
    for name in ("bleu", "rouge_l"):
        p_values = []
        for budget in (SMALL, LARGE):
            part = made.predictions[made.predictions["budget"] == budget]
            found = compare(part.assign(method=part["arm"]), baseline="seq2seq", value=name).iloc[0]
            row = table.loc[budget, "uni-path"]
            columns = [f"{name}_difference", f"{name}_difference_low", f"{name}_difference_high"]
            assert row[columns].tolist() == found[["difference", "low", "high"]].tolist()
            p_values.append(found["p"])
        assert table[f"{name}_p_holm"].dropna().tolist() == pytest.approx(holm(p_values))
    assert (table["bleu_difference_high"].dropna() < 0).all() and (table["bleu_p_holm"].dropna() < 0.05).all()
    part = made.predictions[made.predictions["budget"] == SMALL]
    sizes = effect_sizes(part.assign(method=part["arm"]), baseline="seq2seq").iloc[0]
    names = ["cohens_h", "cohens_h_low", "cohens_h_high"]
    assert table.loc[(SMALL, "uni-path"), names].tolist() == sizes[names].tolist()
    text = short_cells(table.reset_index())["sentence BLEU over its baseline (*: p below 0.05)"]
    row = table.loc[SMALL, "uni-path"]
    bounds = f"{row['bleu_difference_low']:+.1f} to {row['bleu_difference_high']:+.1f}"
    assert text.tolist()[:2] == ["", f"{row['bleu_difference']:+.1f} ({bounds}) *"]


def test_a_grid_of_reports_and_one_without_scores_are_compared_by_what_they_have() -> None:
    made = scored(grid(TWO))
    reports = cell_table(Grid(made.predictions.drop(columns="correct"), made.costs, made.baselines))
    assert "accuracy" not in reports and {"rouge_l", "cohens_d", "bleu_difference", "bleu_p_holm"} <= set(reports)
    assert "rouge_l_difference" not in reports and "sentence BLEU" in " ".join(short_cells(reports))
    without = cell_table(Grid(made.predictions.drop(columns="bleu"), made.costs, made.baselines))
    assert "rouge_l_difference" in without and not [name for name in without if name.startswith("bleu_")]
    assert "sentence BLEU" not in " ".join(short_cells(without))
    alone = cell_table(scored(grid({("seq2seq", SMALL): 0.5})))
    assert alone[["difference", "cohens_h", "bleu_difference", "bleu_p_holm", "rouge_l_p_holm"]].isna().all(axis=None)


def test_an_arm_of_another_task_has_a_baseline_of_its_own() -> None:
    shares = {"seq2seq": 0.3, "uni-path": 0.4, "seq2seq, model=micro": 0.7}
    made = grid({(arm, SMALL): share for arm, share in shares.items()})
    made.baselines["seq2seq, model=micro"] = "seq2seq, model=micro"
    table = cell_table(made).set_index("arm")
    assert np.isnan(table.loc["seq2seq, model=micro", "difference"])
    assert table.loc["uni-path", "difference"] == pytest.approx(
        table.loc["uni-path", "accuracy"] - table.loc["seq2seq", "accuracy"]
    )
    (line,) = cell_findings(table.reset_index())
    here, there = (f"{table.loc[name, 'accuracy']:.1%}" for name in ("seq2seq", "seq2seq, model=micro"))
    assert f"seq2seq reaches {here}, `seq2seq, model=micro` reaches {there}" in line


def chosen(best: Grid, made: Grid) -> str:
    return plateau_line(cell_table(best), cell_table(made))


def test_the_plateau_is_chosen_on_validation_and_measured_on_test_questions() -> None:
    valid = {**TWO, ("uni-path", SMALL): 0.1, ("uni-path", LARGE): 0.2}  # validation prefers the worse one of the test
    best = at_plateau(grid(TWO, valid))
    table = cell_table(best).set_index("arm")
    assert set(best.predictions["budget"]) == {BEST}
    assert table.loc["uni-path", "training_flops"] == 4e12 and table.loc["uni-path", "accuracy"] < 0.5
    assert best.costs.groupby("arm")["largest"].first().all()
    assert "2 of 2 arms did best with the largest budget (seq2seq, uni-path)" in chosen(best, grid(TWO, valid))
    other = at_plateau(grid(TWO))
    assert cell_table(other).set_index("arm").loc["uni-path", "training_flops"] == 1e12
    one = at_plateau(grid({key: share for key, share in TWO.items() if key[1] == LARGE}))
    assert "one budget" in chosen(one, one) and "one budget" not in chosen(best, grid(TWO, valid))
    tokens = {(arm, budget.replace("flops", "target_tokens")): share for (arm, budget), share in TWO.items()}
    with pytest.raises(DataError, match="no budget in flops"):
        at_plateau(grid(tokens))


def test_the_spread_of_seeds_is_that_of_their_means() -> None:
    made = grid(TWO)
    row = seed_spread(made).iloc[0]
    part = made.predictions[(made.predictions["arm"] == "seq2seq") & (made.predictions["budget"] == SMALL)]
    means = part.groupby("seed")["correct"].mean()
    assert row["deviation"] == pytest.approx(means.std())
    assert (row["least"], row["greatest"]) == (means.min(), means.max())


def claim(first: float, second: float, kind: str) -> str:
    """The finding for two arms of the first claim of a kind, with these accuracies."""
    one = next(item for item in CLAIMS if item.kind == kind)
    table = claims_table(grid({(one.first, SMALL): first, (one.second, SMALL): second}))
    assert set(table["claim"]) == {item.text for item in CLAIMS}
    return table.set_index("claim").loc[one.text, "finding"]


def test_claims_are_decided_by_interval_and_corrected_p() -> None:
    assert claim(0.8, 0.3, "better") == "confirmed"
    assert claim(0.3, 0.8, "better") == "not confirmed: the opposite"
    assert claim(0.5, 0.5, "better") == "not confirmed: cannot be told apart"
    assert claim(0.9, 0.2, "equal") == "not confirmed: not equal, one model is ahead"
    assert MARGIN == 0.03
    assert claim(1.5, 1.5, "equal") == "confirmed"  # all right, always: no spread


def of_bleu(accuracy: float, bleu: float) -> str:
    """The finding on lower BLEU where uni-path-merged has this accuracy and sentence BLEU, seq2seq 0.5 and 50."""
    made = grid({("seq2seq", SMALL): 0.5, ("uni-path-merged", SMALL): accuracy})
    noise = np.random.default_rng(0).normal(0, 1, len(made.predictions))
    level = made.predictions["arm"].map({"seq2seq": 50.0, "uni-path-merged": bleu})
    table = claims_table(Grid(made.predictions.assign(bleu=level + noise), made.costs, made.baselines))
    return table.loc[table["measure"] == "bleu", "finding"].item()


def test_lower_bleu_counts_where_more_answers_are_right() -> None:
    assert of_bleu(0.9, 30) == "confirmed"
    assert of_bleu(0.1, 30) == of_bleu(0.5, 30) == "not confirmed: lower BLEU, but not better"
    assert of_bleu(0.9, 70) == "not confirmed: the opposite"
    assert of_bleu(0.9, 50) == "not confirmed: cannot be told apart"


def test_where_nobody_has_learned_to_answer_no_claim_is_judged() -> None:
    shares = {"answer-only": 0.2, "seq2seq": 0.2, "uni-path-merged": 0.2, "dual-path-merged": 0.2}
    made = grid({(arm, SMALL): share for arm, share in shares.items()})
    table = claims_table(made)
    there = table["difference"].notna()
    assert set(table.loc[there, "finding"]) == {NOT_JUDGED} and set(table.loc[~there, "finding"]) == {
        "not testable here"
    }
    learned = claims_table(grid({(arm, SMALL): share for arm, share in (shares | {"seq2seq": 0.9}).items()}))
    assert NOT_JUDGED not in set(learned["finding"])
    assert "square: not judged" in claim_differences(table).texts[0].get_text()


def test_a_claim_about_an_absent_arm_is_not_testable() -> None:
    table = claims_table(grid({("seq2seq", SMALL): 0.5, ("uni-path", SMALL): 0.5}))
    assert set(table["finding"]) == {"not testable here"}
    assert table["difference"].isna().all()
    with pytest.raises(DataError, match="at one budget"):
        claims_table(grid(TWO))


def test_figures_draw_what_the_tables_hold() -> None:
    made = grid({**TWO, ("uni-path-merged", SMALL): 0.5, ("uni-path-merged", LARGE): 0.2})
    table = cell_table(made)
    figure = arm_measures(table)
    titles = [ax.get_title(loc="left").splitlines()[1] for ax in figure.axes]
    assert [title.split(",")[0] for title in titles] == ["1e12 FLOPs", "4e12 FLOPs"]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["seq2seq", "uni-path", "uni-path, merged"]
    assert len(arm_differences(table).axes) == 1
    other = table.replace({"arm": {"uni-path": "seq2seq, model=micro", "uni-path-merged": "uni-path, model=micro"}})
    dashed = [one for one in arm_measures(other).axes[0].collections if one.get_linestyle()[0][1] is not None]
    beside = [one.get_segments()[0] for one in dashed]
    assert [(segment[0][1], segment[1][1]) for segment in beside] == [(-0.5, 0.5), (0.5, 2.5)], "each beside its own"
    assert beside[1][0][0] == pytest.approx(other.loc[other["arm"] == "seq2seq, model=micro", "accuracy"].iloc[0])
    claims = claims_table(at_plateau(made))
    assert len(claim_differences(claims).axes) == 1
    untested = claims.assign(train_size=125, difference=np.nan, low=np.nan, high=np.nan, finding="not testable here")
    beside = claim_differences(pd.concat([untested, claims]))
    assert "no claim could be tested with 125 training examples" in beside.texts[0].get_text()
    (title,) = [ax.get_title(loc="left") or ax.get_title() for ax in beside.axes]
    assert title.startswith("500 training examples")
    assert len(claim_differences(untested).axes) == 1, "the one size there is"
    shown = claims_shown(claims).set_index("claim")["500 training examples"]
    assert len(shown) == len(CLAIMS)
    assert shown["AS-ES with one model beats seq2seq (uni-path-merged against seq2seq)"].endswith(")")
    (bleu,) = shown[shown.index.str.contains("lower BLEU")]
    assert re.search(r"BLEU \(.*\), with [+-]\d.* points \(.* to .*\)$", bleu)
    told = claims_shown(claims).set_index("claim")["the paper"]
    assert told.iloc[0].startswith("by up to") and told.iloc[-1] == "-", "the paper's own claims come first"
    assert arm_label("uni-path-merged, strategy=random_boundaries") == "uni-path, merged: random boundaries"


def test_arms_on_other_data_have_questions_of_their_own() -> None:
    never = ", held_out_schemas=true"
    here = grid({("seq2seq", SMALL): 0.5, ("uni-path", SMALL): 0.2})
    there = grid({(f"seq2seq{never}", SMALL): 0.4, (f"uni-path{never}", SMALL): 0.3})
    elsewhere = there.predictions.assign(qid=there.predictions["qid"] + " of another story")
    baselines = here.baselines | dict.fromkeys(there.baselines, f"seq2seq{never}")
    both = Grid(pd.concat([here.predictions, elsewhere]), pd.concat([here.costs, there.costs]), baselines)
    table = cell_table(both).set_index("arm")
    alone = cell_table(here).set_index("arm")
    same = ["n", "accuracy", "low", "high", "difference", "difference_low", "difference_high"]
    pd.testing.assert_frame_equal(table.loc[["seq2seq", "uni-path"], same], alone[same])
    assert table.loc[f"uni-path{never}", "n"] == N and -0.3 < table.loc[f"uni-path{never}", "difference"] < 0.1
    lengths = lengths_table(with_steps(both, 2))
    assert lengths.groupby("arm")["n"].sum().eq(N).all()


def test_lengths_are_the_parts_of_the_main_table() -> None:
    made = with_steps(grid(TWO, seeds=1), 3)
    table, whole = lengths_table(made), cell_table(made)
    keys = ["train_size", "budget", "arm"]
    assert table["arm"].tolist() == ["seq2seq"] * 3 + ["uni-path"] * 3 + ["seq2seq"] * 3 + ["uni-path"] * 3
    assert table["steps"].tolist() == [1, 2, 3] * 4
    assert table["n"].eq(N / 3).all() and table["baseline"].eq("seq2seq").all()
    back = (table["accuracy"] * table["n"]).groupby([table[key] for key in keys], sort=False).sum() / N
    assert back.to_numpy() == pytest.approx(whole["accuracy"].to_numpy())
    (small, large) = length_findings(table)
    ends = table[(table["budget"] == LARGE) & (table["arm"] == "uni-path")]["accuracy"].iloc[[0, -1]]
    assert f"uni-path {ends.iloc[0]:.1%} at 1, {ends.iloc[1]:.1%} at 3" in large and SMALL in small


def test_many_lengths_become_ranges_that_hold_every_question() -> None:
    table = lengths_table(with_steps(grid(TWO, seeds=1), 20))
    assert table.groupby(["budget", "arm"])["n"].sum().eq(N).all()
    assert (table["steps"] <= table["steps_to"]).all()
    last = table.iloc[-1]
    assert f" at {last['steps']} to {last['steps_to']}" in length_findings(table)[-1]
    ticks = [label.get_text() for label in arm_lengths(table).axes[-1].get_xticklabels()]
    assert ticks[-1] == f"{last['steps']} to {last['steps_to']}\nn = {last['n']}"


def test_a_panel_an_arm_has_its_baseline_behind_it() -> None:
    table = lengths_table(with_steps(grid({key: TWO[key] for key in TWO if key[1] == LARGE}), 2))
    drawn = [ax for ax in arm_lengths(table).axes if ax.get_visible()]
    assert [ax.get_title(loc="left") or ax.get_title() for ax in drawn] == ["seq2seq", "uni-path"]
    own, behind = drawn[0].lines, drawn[1].lines
    assert len(own) == 1 and len(behind) == 2, "nothing stands behind the baseline itself"
    base = table[table["arm"] == "seq2seq"]["accuracy"].tolist()
    assert list(behind[0].get_ydata()) == base == list(own[0].get_ydata())


def test_sizes_share_a_panel_and_differ_by_marker() -> None:
    few = lengths_table(with_steps(grid({key: TWO[key] for key in TWO if key[1] == LARGE}), 2))
    figure = arm_lengths(pd.concat([few, few[few["arm"] == "seq2seq"].assign(train_size=2000)]))
    drawn = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") or ax.get_title() for ax in drawn] == ["seq2seq", "uni-path"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["500 examples", "2,000 examples"]
    marks = {line.get_label(): (line.get_marker(), line.get_markerfacecolor()) for line in legend.get_lines()}
    assert len(set(marks.values())) == 2 and marks["500 examples"][1] == "w"
    assert [len(line.get_xdata()) for line in drawn[1].lines] == [2, 2], "what was not run has no line"


def test_what_the_correction_asks_for_depends_on_how_many_are_compared() -> None:
    one = cell_table(grid({key: TWO[key] for key in TWO if key[1] == LARGE}))
    assert one["detectable"].tolist()[1:] == one["detectable_corrected"].tolist()[1:]
    made = grid(TWO)
    both = cell_table(made).set_index("budget").loc[LARGE]
    rows = made.predictions[made.predictions["budget"] == LARGE].assign(method=lambda table: table["arm"])
    (halved,) = power_table(rows, alpha=0.05 / 2)["detectable_difference"]
    assert both["detectable_corrected"].iloc[1] == halved


def test_how_many_seeds_a_difference_needs_is_planned_from_those_that_ran() -> None:
    made = grid(TWO)
    table = seeds_table(made, 0.05).set_index("budget")
    assert table.index.tolist() == [SMALL, LARGE] and set(table["arm"]) == {"uni-path"}
    assert table["detectable"].tolist() == cell_table(made)["detectable"].dropna().tolist()
    enough = seeds_table(made, float(table["detectable"].max()) + 1e-9)
    assert (enough["needed"] <= SEEDS).all()
    assert "in 2 of these 2 comparisons." in seeds_line(enough)
    never = seeds_table(made, 1e-6)
    assert never["needed"].isna().all() and seeds_line(never).endswith("; 2 would take more questions as well.")
    assert "A difference of 5.0 points would be found" in seeds_line(table.reset_index())
    alone = seeds_table(grid(TWO, seeds=1), 0.05)
    assert alone.empty and seeds_line(alone) == ""


def test_a_budget_reads_as_people_write_it() -> None:
    made = cell_table(grid({(arm, "400e3 target_tokens"): 0.5 for arm in ("seq2seq", "uni-path")}))
    for budget, text in (("400e3 target_tokens", "400e3 target tokens"), ("20 epochs", "20 epochs"), (BEST, BEST)):
        title = arm_measures(made.assign(budget=budget)).axes[0].get_title(loc="left")
        assert title.splitlines()[1].startswith(f"{text}, n = ")


def test_accuracy_by_flops_is_drawn_in_their_order_with_the_baseline_behind_it() -> None:
    table = by_flops(cell_table(grid(TWO)))
    drawn = [ax for ax in arm_flops(table.iloc[::-1]).axes if ax.get_visible()]
    assert [ax.get_title(loc="left") or ax.get_title() for ax in drawn] == ["uni-path", "seq2seq"]
    behind, own = drawn[0].lines
    assert list(own.get_xdata()) == list(behind.get_xdata()) == [1e12, 4e12]
    assert len(drawn[1].lines) == 1
    base = table[table["arm"] == "seq2seq"].set_index("flops")["accuracy"]
    assert list(behind.get_ydata()) == base.loc[[1e12, 4e12]].tolist()


def test_each_size_has_its_plateau_among_its_own_budgets() -> None:
    few, many = grid(TWO), grid({key: TWO[key] for key in TWO if key[1] == LARGE})
    parts = [few.predictions, many.predictions.assign(train_size=2000)], [few.costs, many.costs.assign(train_size=2000)]
    both = Grid(*(pd.concat(part, ignore_index=True) for part in parts), few.baselines)
    best = at_plateau(both)
    assert set(by_flops(cell_table(both))["train_size"]) == {500}, "one budget is no curve"
    tried = best.costs.groupby("train_size")[["tried", "largest"]].agg(["min", "max"])
    assert tried["tried"].to_numpy().tolist() == [[2, 2], [1, 1]]
    assert best.costs.set_index(["train_size", "arm"])["largest"].groupby(level=[0, 1]).first().tolist() == [
        True,
        False,
        True,
        True,
    ]
    said = chosen(best, both)
    assert "further budgets" not in said
    assert "with 500 training examples 1 of 2 arms" in said
    assert "with 2,000 training examples one budget of FLOPs was tried, which shows no plateau" in said


def test_arms_of_one_baseline_choose_from_the_budgets_that_all_of_them_had() -> None:
    merged = {("uni-path-merged", SMALL): 0.2}
    made = grid({**TWO, **merged})
    best = at_plateau(made)
    assert set(best.costs["arm"]) == {"seq2seq", "uni-path", "uni-path-merged"}
    assert set(best.costs["training_flops"]) == {1e12} and set(best.costs["tried"]) == {1}
    assert chosen(best, made).endswith(
        "With 500 training examples seq2seq, uni-path had further budgets, no choice here, since others had not."
    )
    apart = at_plateau(Grid(made.predictions, made.costs, made.baselines | {"uni-path-merged": "uni-path-merged"}))
    assert apart.costs.groupby("arm")["tried"].first().to_dict() == {"seq2seq": 2, "uni-path": 2, "uni-path-merged": 1}
    assert "1 of 2 arms did best with the largest budget (seq2seq), so" in chosen(apart, made)
    parted = grid({("seq2seq", SMALL): 0.2, ("uni-path", LARGE): 0.2})
    with pytest.raises(DataError, match="with 500 training examples 'seq2seq' and its arms have no budget of FLOPs"):
        at_plateau(parted)
    with pytest.raises(DataError, match="common to all its training-set sizes"):
        with_common_budgets(parted)


@dataclass(frozen=True)
class _Written:
    """A run that holds predictions, and the number of its training examples as data has it."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    def input(self, step: str) -> _Written:
        assert step == "data"
        return self

    def manifest(self) -> dict[str, dict[str, int]]:
        return {"numbers": {"train": 2239}}


def test_sizes_are_compared_with_the_budgets_that_all_of_them_have() -> None:
    small, large = grid({one: value for one, value in TWO.items() if one[1] == SMALL}), grid(TWO)
    costs = pd.concat([small.costs.assign(train_size=500), large.costs.assign(train_size=2000)])
    predictions = pd.concat([small.predictions.assign(train_size=500), large.predictions.assign(train_size=2000)])
    both = with_common_budgets(Grid(predictions, costs, large.baselines))
    assert set(both.costs["budget"]) == set(both.predictions["budget"]) == {SMALL}
    assert set(at_plateau(both).costs["training_flops"]) == {1e12}, "with the larger one 2,000 would have learned more"
    alone = with_common_budgets(large)
    assert len(alone.costs) == len(large.costs) and len(alone.predictions) == len(large.predictions)
    other = costs[(costs["train_size"] == 500) | (costs["budget"] == LARGE)]
    with pytest.raises(DataError, match="no budget of this grid is common"):
        with_common_budgets(Grid(predictions, other, large.baselines))


def test_variants_are_held_against_their_usual_arm_on_the_same_questions() -> None:
    never = "held_out_schemas=true"
    gold, micro = "uni-path-merged, strategy=gold", "seq2seq, model=micro"
    arms = ["seq2seq", micro, "uni-path", "uni-path-merged", gold, f"uni-path, {never}", f"{gold}, {never}", "lookup"]
    made = grid({(arm, SMALL): 0.2 + 0.05 * at for at, arm in enumerate(arms)})
    found = against_usual(made)
    assert found.baselines == {
        "seq2seq": "seq2seq", micro: "seq2seq", "uni-path-merged": "uni-path-merged", gold: "uni-path-merged"
    }  # fmt: skip
    table = cell_table(found).set_index("arm")
    assert table["difference"].notna().tolist() == [False, True, False, True]
    pair = made.predictions[made.predictions["arm"].isin(["uni-path-merged", gold])]
    by_hand = compare(pair.assign(method=pair["arm"]), baseline="uni-path-merged").iloc[0]
    assert table.loc[gold, "difference"] == by_hand["difference"]
    with pytest.raises(DataError, match="no variant of one of its arms"):
        against_usual(grid(TWO))


def test_the_lookup_stands_at_the_budgets_and_seeds_of_its_own_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = pd.DataFrame({"qid": ["a", "b"], "correct": [True, False], "flops": 1e6, "steps": [1, 2]})
    written.to_parquet(tmp_path / "predictions.parquet")
    run, seq2seq, lookup = _Written(tmp_path), read_arm("seq2seq"), read_arm("lookup")
    small, large = read_budget("1e12 flops"), read_budget("4e12 flops at 2000")
    places = [(500, small, 0), (500, small, 1), (2000, small, 0), (2000, large, 0)]
    cells = [Cell(seq2seq, *place, run) for place in places]
    cells += [Cell(lookup, size, None, None, run) for size in (500, 2000)]
    monkeypatch.setattr("ases.cells._costs", lambda cell: {"training_flops": 1.0})
    monkeypatch.setattr("ases.cells._looked_up", lambda cell: written.assign(flops=0.0))
    made = gather(cells)
    turned = gather(cells[::-1])
    for column in ("train_size", "budget"):
        assert turned.costs[column].drop_duplicates().tolist() == made.costs[column].drop_duplicates().tolist()
    for arm in ("seq2seq", "lookup"):
        for table in (made.predictions, made.costs):
            rows = table.loc[table["arm"] == arm, ["train_size", "budget", "seed"]].drop_duplicates()
            assert [*rows.itertuples(index=False, name=None)] == [(n, budget.name, seed) for n, budget, seed in places]
    with pytest.raises(DataError, match="no arm of this grid is trained"):
        gather(cells[-2:])
    whole = gather([Cell(seq2seq, 0, small, 0, run), Cell(lookup, 0, None, None, run)])
    for table in (whole.predictions, whole.costs):
        assert set(table["train_size"]) == {2239}, "0 is all that is left, and stands in no table"
