"""What is published: notebooks without times and places, and an honest word on how tables agree."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ases import publishing
from ases.errors import RunError
from ases.publishing import agreement, normalised, read_table, table_text
from tests import fake_project

ROW = {
    "method": "seq2seq",
    "n": "1000",
    "accuracy": "0.5",
    "accuracy_low": "0.4",
    "accuracy_high": "0.6",
    "seconds": "9",
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASES_ROOT", str(tmp_path))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    return fake_project.make(tmp_path)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "identical"),
        ({"seconds": "11"}, "identical"),
        ({"accuracy": "0.6"}, "within tolerance"),
        ({"accuracy": "0.61"}, "different"),
        ({"accuracy": ""}, "different"),
    ],
)
def test_agreement_of_a_row(change: dict[str, str], verdict: str) -> None:
    assert agreement([{**ROW, **change}], [ROW]) == [("seq2seq", verdict)]


def test_agreement_without_intervals_and_with_other_rows() -> None:
    def rows(*values: str) -> list[dict[str, str]]:
        return [{"name": name, "value": value} for name, value in zip("ab", values, strict=False)]

    assert agreement(rows("1.0000001", "2"), rows("1", "3")) == [("a", "within tolerance"), ("b", "different")]
    assert agreement(rows("1"), rows("1", "3"))[1] == ("b", "only in the published table")
    assert agreement(rows("1", "3"), rows("1"))[1] == ("b", "not in the published table")
    bare = [{"accuracy": "0.5", "low": "0.4", "high": "0.6"}]
    assert agreement([{**bare[0], "accuracy": "0.41"}], bare) == [("the row", "within tolerance")]


def test_tables_as_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('name,n\nlonger,1\n"a, b",\n', encoding="utf-8")
    assert table_text(read_table(tmp_path / "t.csv")) == "name    n\nlonger  1\na, b"


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


def test_a_verdict_that_turns_does_not_lose_its_row() -> None:
    published = [{"method": "seq2seq", "accuracy": "0.4", "low": "0.3", "high": "0.5", "still_rises": "True"}]
    turned = [{**published[0], "accuracy": "0.41", "still_rises": "False"}]
    assert agreement(turned, published) == [("seq2seq", "within tolerance")]
    assert agreement(published, published) == [("seq2seq", "identical")]


@pytest.mark.parametrize("given", [{"size": "real"}, {"size": "smoke", "data_folder": "somewhere"}])
def test_measurements_are_published_where_others_can_repeat_them(given: dict[str, str]) -> None:
    with pytest.raises(RunError, match="not published"):
        publishing.publish_measured(SimpleNamespace(parameters=given), {})


def test_nothing_that_is_private_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    private = SimpleNamespace(settings=SimpleNamespace(data=SimpleNamespace(data="cpet")))
    monkeypatch.setattr(publishing, "planned", lambda parameters: [private])
    with pytest.raises(RunError, match="nothing that is computed from cpet is published"):
        publishing.publish({"size": "quick"}, {})
