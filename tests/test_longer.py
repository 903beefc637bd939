"""Problems longer than any learned: which chains are read, what is counted, and how it is drawn."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ases import figures
from ases.arms import read_arm, read_budget
from ases.errors import DataError
from ases.grid_figures import longer_steps
from ases.longer import chains_by_length, longer_findings, longer_table, method_of, share_text
from ases.needs import Cell
from ases.statistics import proportion_interval

LONGER = "steps_to=4, longest_learned=2"


class _Run:
    """What is read of a generation: two tables and the lengths of its data."""

    def __init__(self, folder: Path, arm: str, needed: list[int], written: list[int]) -> None:
        self.folder = folder / arm
        self.folder.mkdir()
        lengths = {"steps_to": 2, "longest_learned": 0} | read_arm(arm).parameters
        data = type("Data", (), {name: lengths[name] for name in ("steps_to", "longest_learned")})
        self.settings = type("Settings", (), {"data": data})
        qids = [f"q{number}" for number in range(len(needed))]
        pd.DataFrame({"qid": qids, "steps": needed}).to_parquet(self.path("predictions.parquet"))
        right = [one == two for one, two in zip(needed, written, strict=True)]
        errors = pd.DataFrame({"qid": qids, "steps": written, "correct": right})
        errors.iloc[::-1].to_parquet(self.path("first_errors.parquet"))  # in another order

    def path(self, name: str) -> Path:
        return self.folder / name


def cells(folder: Path) -> list[Cell]:
    found = {
        "seq2seq": ([1, 2, 2, 2], [1, 2, 2, 1]),
        f"seq2seq, {LONGER}": ([3, 3, 4, 4], [2, 3, 5, 2]),
        "uni-path": ([1, 1, 2, 2], [1, 1, 2, 2]),
    }
    budget = read_budget("2e12 flops")
    return [Cell(read_arm(arm), 500, budget, 0, _Run(folder, arm, *steps)) for arm, steps in found.items()]


def test_only_an_arm_tested_on_longer_problems_and_its_neighbour_are_read(tmp_path: Path) -> None:
    chains = chains_by_length(cells(tmp_path))
    assert set(chains["arm"]) == {"seq2seq", f"seq2seq, {LONGER}"} and set(chains["method"]) == {"seq2seq"}
    assert chains.groupby("arm")["longer"].mean().to_dict() == {"seq2seq": 0.0, f"seq2seq, {LONGER}": 1.0}
    assert chains["enough"].tolist() == [True, True, True, False, False, True, True, False]
    assert chains["correct"].tolist() == [True, True, True, False, False, True, False, False]


def test_shares_by_length_and_over_all_longer_ones(tmp_path: Path) -> None:
    chains = chains_by_length(cells(tmp_path))
    table = longer_table(chains).set_index("needed")
    assert table["enough"].to_dict() == {1: 1.0, 2: pytest.approx(2 / 3), 3: 0.5, 4: 0.5}
    assert table["written"].to_dict() == {1: 1.0, 2: pytest.approx(5 / 3), 3: 2.5, 4: 3.5}
    assert table["n"].to_dict() == {1: 1, 2: 3, 3: 2, 4: 2}
    assert table.loc[1, ["enough_low", "enough_high"]].isna().all(), "one question has no interval"
    assert table.loc[2:, "enough"].between(table.loc[2:, "enough_low"], table.loc[2:, "enough_high"]).all()
    together = longer_table(chains, by=()).set_index("longer")
    assert together.loc[True, "enough"] == 0.5 and together.loc[True, "correct"] == 0.25 and len(together) == 2


def test_none_of_all_has_an_interval_with_width() -> None:
    rows = [{"qid": f"q{number}", "correct": False, "enough": True, "written": 3} for number in range(20)]
    keys = {"train_size": 500, "budget": "2e12 flops", "arm": "seq2seq", "method": "seq2seq", "longer": True}
    table = longer_table(pd.DataFrame(rows).assign(**keys, seed=0, needed=3)).iloc[0]
    none, all_of_them = proportion_interval(0, 20), proportion_interval(20, 20)
    assert (table["correct_low"], table["correct_high"]) == (0.0, none.high) and none.high > 0.1
    assert (table["enough_low"], table["enough_high"]) == (all_of_them.low, 1.0)
    assert table["written_low"] == table["written_high"] == 3


def test_what_is_found_in_words(tmp_path: Path) -> None:
    (line,) = longer_findings(longer_table(chains_by_length(cells(tmp_path))))
    assert line.startswith("500 training examples, 2e12 flops, seq2seq: of problems of 1 step 100% of chains have")
    assert "of problems of 3 steps, never shown, 50% (" in line and "of problems of 2 steps 67%" in line
    assert share_text({"a": 0.125, "a_low": 0.1, "a_high": 0.15}, "a") == "12% (10% to 15%)"


def test_nothing_is_told_where_no_problem_is_longer(tmp_path: Path) -> None:
    kept = [cell for cell in cells(tmp_path) if LONGER not in cell.arm.name]
    table = longer_table(chains_by_length(kept))
    assert table.empty and longer_findings(table) == [] and longer_table(chains_by_length(kept), by=()).empty
    with pytest.raises(DataError, match="no rows"):
        longer_steps(table)


def test_the_lengths_that_one_cut_parts_are_one_method() -> None:
    assert method_of(read_arm(f"uni-path-merged, strategy=gold, {LONGER}")) == "uni-path-merged, strategy=gold"


def test_the_picture_has_a_panel_for_each_question_asked(tmp_path: Path) -> None:
    table = longer_table(chains_by_length(cells(tmp_path)))
    figure = longer_steps(table)
    assert [ax.get_ylabel() for ax in figure.axes] == ["steps written", "chains with enough steps", "accuracy"]
    figures.save(figure, table, tmp_path, "longer")
    hollow = [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 1 and list(hollow[0].get_xdata()) == [3, 4]


def test_each_budget_has_a_line_of_panels(tmp_path: Path) -> None:
    table = longer_table(chains_by_length(cells(tmp_path)))
    figure = longer_steps(pd.concat([table, table.assign(budget="4e12 flops")]))
    assert len(figure.axes) == 6
    assert [ax.get_title(loc="left") for ax in figure.axes[::3]] == [
        f"500 examples, {one} FLOPs" for one in ("2e12", "4e12")
    ]
    with pytest.raises(DataError, match="is in two rows"):
        longer_steps(pd.concat([table, table]))
