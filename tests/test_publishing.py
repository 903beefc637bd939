"""What is published: notebooks without times and places, and nothing private."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from ases import publishing, runs
from ases.errors import RunError
from ases.folders import Shelf
from ases.publishing import normalised
from tests import fake_project


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASES_ROOT", str(tmp_path))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    return fake_project.make(tmp_path)


def executed(text: list[str] | str, source: str = "print(1)") -> dict:
    stream = {"output_type": "stream", "name": "stdout"}
    output = [{**stream, "text": text}, {**stream, "text": "end\n"}]
    metadata = {"tags": ["nbval-skip"], "papermill": {"duration": 1.2}, "execution": {"iopub.status.busy": "now"}}
    cell = {"cell_type": "code", "id": "one", "metadata": metadata, "execution_count": 1, "outputs": output}
    head = {"papermill": {"duration": 3}, "language_info": {"name": "python", "version": "3.11.7"}}
    return {"cells": [{**cell, "source": source}], "metadata": head, "nbformat": 4, "nbformat_minor": 5}


def test_times_go_and_outputs_stay(project: Path) -> None:
    text = normalised(executed([f"{project}/figures/x.png\n", "b\n"]), "02_data", {f"{project}/": ""})
    assert "papermill" not in text and "busy" not in text and "3.11.7" not in text
    assert '"id": "one"' in text and "nbval-skip" in text and '"execution_count": 1' in text
    assert '"figures/x.png\\n",\n      "b\\n",\n      "end\\n"' in text  # one stream, however it arrived
    assert text == normalised(executed(f"{project}/figures/x.png\nb\n"), "02_data", {f"{project}/": ""})


@pytest.mark.parametrize("place", [str(Path.home()), "/tmp"])
def test_a_place_of_this_machine_is_never_published(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    with pytest.raises(RunError, match="02_data, cell 0 would publish"):
        normalised(executed(f"{place}/ipykernel_7/1.py:3: UserWarning\n"), "02_data", {})
    with pytest.raises(RunError, match="cell 0"):
        normalised(executed("fine\n", source=f"open('{place}/x')"), "02_data", {})


@pytest.mark.parametrize("given", [{"size": "real"}, {"size": "smoke", "data_folder": "somewhere"}])
def test_measurements_are_published_where_others_can_repeat_them(given: dict[str, str]) -> None:
    with pytest.raises(RunError, match="not published"):
        publishing.publish_measured(SimpleNamespace(parameters=given), {})


def test_each_size_is_published_in_its_place(project: Path) -> None:
    given = {"methods": ["seq2seq"], "seeds": [0], "study_data": ["generated"], "scorer_seeds": [0]}

    places = [Shelf(size).figures("06_comparison") for size in ("quick", "real", "gpu")]
    figures = project / "figures"
    assert places[:2] == [figures / "06_comparison", figures / "real" / "06_comparison"]
    assert places[2:] == [None]
    grid = {"arms": ["seq2seq", "lookup"], "train_sizes": [50], "budgets": ["1e12 flops"], "seeds": [0]}
    only_grid = {**grid, "size": "classroom"}
    plan = runs.plan(only_grid)
    assert [run.notebook for run in publishing.published_runs(only_grid, plan)] == ["07_experiment"]
    assert Shelf("classroom").figures("07_experiment") == figures / "07_experiment"
    for language in (None, "en"):
        shelf = Shelf.of({"size": "classroom", "data": "reports", "language": language})
        assert shelf == Shelf("classroom", f"reports_{language or 'zh'}")
        assert shelf.figures("07_experiment") == figures / shelf.task / "07_experiment"
        assert shelf.notebooks == project / "notebooks" / shelf.task
    with pytest.raises(RunError, match="size quick of reports_zh is not published"):
        publishing.publish({**given, "data": "reports"}, {})
    with pytest.raises(RunError, match="size gpu is not published: its runs are exported"):
        publishing.publish({**given, "size": "gpu"}, {})


def test_nothing_that_is_private_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    private = SimpleNamespace(settings=SimpleNamespace(data=SimpleNamespace(data="cpet")))
    monkeypatch.setattr(publishing, "planned", lambda parameters: [private])
    with pytest.raises(RunError, match="nothing that is computed from cpet is published"):
        publishing.publish({"size": "quick"}, {})


def test_random_names_of_cells_and_styled_tables_are_replaced() -> None:
    import pandas as pd

    def publish() -> str:
        html = pd.DataFrame({"a": [1]}).style.set_properties(**{"color": "red"}).to_html()
        content = executed("fine\n")
        content["cells"][0]["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}]
        added = {**content["cells"][0], "id": uuid4().hex[:8], "outputs": []}
        added["metadata"] = {"tags": ["injected-parameters"]}
        return normalised({**content, "cells": [*content["cells"], added]}, "02_data", {})

    first = publish()
    assert first == publish() and "T_0_0_row0_col0" in first and '"id": "injected-parameters"' in first
