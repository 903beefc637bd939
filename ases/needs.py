"""What each step's run needs first, and what tells it from its neighbours: its inputs, its own parameters, its key.

>>> find("scoring", {"size": "smoke"}, {}).inputs[1].bits                         # doctest: +SKIP
'seq2seq-seed0'

:mod:`ases.runs` is the door to this: a plan of runs, and a notebook's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from ases.arms import LOOKUP
from ases.errors import ParameterError
from ases.folders import STEPS, Run, Shelf
from ases.grids import GRIDS, Place, places
from ases.identities import fingerprint, model_identity, place_of
from ases.parameters import LISTS
from ases.provenance import code_hash, digest, file_hash
from ases.settings import (
    ANSWERED,
    BASELINE,
    GENERATED,
    REAL_RATIONALES,
    SCORER_OF,
    BenchmarkSettings,
    DataSettings,
    GenerationSettings,
    ScoringSettings,
    SegmentationSettings,
    Settings,
    TrainingSettings,
    needs_labels,
    settings_for,
)

ENTRIES = {
    "data": ("examples", "problems", "reports", "sources", "splits"),
    "training": ("models", "scoring", "segments", "training"),
    "scoring": ("scoring",),
    "segmentation": ("study", "study_tables"),
    "generation": ("ctranslate", "generation", "models", "training"),
    "comparison": ("evaluation",),
    "own_data": ("checks", "demonstration", "splits"),
    "start": ("starts",),
    "experiment": ("cells", "lookup"),
    "efficiency": ("cells", "efficiency", "rates"),
    "sensitivity": ("cells", "longer"),
    "rates": ("rates",),
    "why": ("contributions", "why"),
    "results": ("evaluation",),
    "performance": ("performance",),
}
"""The modules whose code decides what a step computes; what those import counts too.

What is only drawn, tabled or measured again at each execution need not be here: see ``provenance.notebook_code``.
"""

_OF_ONE_METHOD = frozenset(["method", "typed", "init", "left_out"])  # a scorer or a comparison has none of its own

Given = dict[str, Any]
Known = dict[str, "Run"]


def find(step: str, given: Given, known: Known) -> Run:
    """The run of a step that parameters mean, made once: ``known`` holds those met before, and this one after it."""
    name = digest([step, given])
    if name not in known:
        made = _make(step, given, known)
        known[name] = known.setdefault(made.key, made)  # equal work is one run, however it was asked for
    return known[name]


@dataclass(frozen=True)
class _Spec:
    """What tells one run of a step from another: its inputs, the parameters of its own, and a name for people."""

    inputs: tuple[Run, ...]
    own: frozenset[str]
    bits: str


def _make(step: str, given: Given, known: Known) -> Run:
    if step in OF_SEVERAL:
        absent = [name for name in OF_SEVERAL[step] if not given.get(name)]
        if absent:
            raise ParameterError(f"{STEPS[step]} needs {' and '.join(absent)}, each a list with at least one entry")
    settings_for(_one_method(given))  # everything that is given must make sense, whether it matters here or not
    spec = _SPECS[step](given, known)
    sized = {"size"} if step != "own_data" else set()  # a check of a file is the same at every size
    matter = spec.own.union(sized, *(run.parameters for run in spec.inputs))
    matter -= _set_by_its_inputs(step)
    # What does not matter to this run is left at its default, so that equal runs have equal manifests.
    alone = step in ("training", "generation")
    settings = settings_for(_only(given, matter - LISTS - (frozenset() if alone else _OF_ONE_METHOD)))
    content = {
        "step": step,
        "settings": _keyed(settings, given, spec.own),
        "inputs": [run.key for run in spec.inputs],
        "code": code_hash(ENTRIES[step]),
    }
    if step == "results":
        content["shown beside"] = _shown_beside()
    settings = replace(settings, training=replace(settings.training, model=place_of(settings.training.model)))
    data = settings.data
    if data.data not in GENERATED:
        data = replace(data, data_folder=place_of(data.data_folder))
        settings = replace(settings, data=data)
        if step == "data":
            content["fingerprint"] = fingerprint(data)
    return Run(step, _only(given, matter), settings, spec.inputs, spec.bits, digest(content)[:16])


OF_SEVERAL = {
    "segmentation": ("study_data", "scorer_seeds"),
    "comparison": ("methods", "seeds"),
    "start": ("starts", "train_sizes", "start_methods", "seeds"),
    **GRIDS,
    "results": ("methods", "seeds", "study_data", "scorer_seeds"),
}
"""Steps that put several runs together, with the lists that say which."""


def _one_method(given: Given) -> Given:
    """Flat parameters with one method, for the settings: of several, one that ``typed`` is for."""
    plain = {name: value for name, value in given.items() if name not in LISTS}
    methods = given.get("methods") or ()
    chosen = [method for method in methods if method.startswith("uni-path")] or list(methods)
    return {"method": chosen[0], **plain} if chosen else plain


def _set_by_its_inputs(step: str) -> frozenset[str]:
    """Parameters of the inputs that the step itself chooses: a scorer's method, and the runs that are compared."""
    return {
        "scoring": frozenset(["method", "typed", "init", "left_out"]),
        "segmentation": frozenset(["method", "typed", "init", "left_out", "seed", "scorer"]),
        "comparison": frozenset(["method", "seed"]),
        "start": frozenset(["method", "seed", "model", "train_size"]),
        **dict.fromkeys(GRIDS, frozenset(["method", "seed", "train_size", "budget", "budget_unit"])),
        "results": frozenset(["method", "seed", "scorer"]),
        "performance": frozenset(["data", "method", "seed"]),
    }.get(step, frozenset())


def _data_spec(given: Given, known: Known) -> _Spec:
    data = settings_for(_only(_one_method(given), _names(DataSettings))).data
    words = [data.data, data.language if data.data == "reports" else "", str(data.train_size or "all")]
    return _Spec((), _names(DataSettings), "-".join(filter(None, words)))


def _data_of(given: Given, known: Known) -> Run:
    return find("data", _only(given, _names(DataSettings)), known)


def _training_spec(given: Given, known: Known) -> _Spec:
    training = settings_for(_one_method(given)).training
    inputs, own = (_data_of(given, known),), _names(TrainingSettings)
    if needs_labels(training.method, training.typed):
        own |= _names(SegmentationSettings)
        inputs = (*inputs, *_scorings(given, known))
    if training.init == BASELINE:  # goes on from the whole-chain model of the same seed
        names = _names(DataSettings, TrainingSettings) - _OF_ONE_METHOD
        inputs = (*inputs, find("training", {**_only(given, names), "method": BASELINE}, known))
    continued = "continued" if training.init == BASELINE else ""
    # Only of what the run does and not of how it was asked for: equal runs have one folder, whose name is one, too.
    model = Path(training.model).name if training.model != settings_for({}).training.model else ""
    without = f"without-{training.left_out.replace('/', '-of-')}" if training.left_out else ""
    bits = "-".join(filter(None, [training.method, continued, model, without, f"seed{training.seed}"]))
    return _Spec(inputs, own, bits)


def _scorings(given: Given, known: Known) -> tuple[Run, ...]:
    """The scoring whose scores the chosen strategy labels by; none for a strategy without a model."""
    chosen = settings_for(_one_method(given)).segmentation
    scorer = SCORER_OF.get(chosen.scored_strategy)
    names = _names(DataSettings, ScoringSettings, TrainingSettings) - _OF_ONE_METHOD - {"scorer"}
    return (find("scoring", {**_only(given, names), **_scorer(scorer)}, known),) if scorer else ()


def _scorer(name: str) -> dict[str, str]:
    """The parameter that says which scorer, left out where it is the notebook's own."""
    return {} if name == BASELINE else {"scorer": name}


def _scoring_spec(given: Given, known: Known) -> _Spec:
    own = _names(ScoringSettings)
    scoring = settings_for(_only(given, own | _names(DataSettings))).scoring
    names = _names(DataSettings, TrainingSettings) - _OF_ONE_METHOD
    folds = [f"{fold}/{scoring.folds}" for fold in range(1, scoring.folds + 1)] if scoring.folds > 1 else [None]
    plain = {**_only(given, names), "method": scoring.scorer}
    trainings = [find("training", {**plain, "left_out": fold} if fold else plain, known) for fold in folds]
    words = [trainings[0].input("data").bits, scoring.scorer, f"{scoring.folds}-folds" if scoring.folds > 1 else ""]
    bits = "-".join(filter(None, [*words, f"seed{trainings[0].settings.training.seed}"]))
    return _Spec((_data_of(given, known), *trainings), own, bits)


def _segmentation_spec(given: Given, known: Known) -> _Spec:
    main = settings_for(_only(_one_method(given), _names(DataSettings))).data
    names = _names(DataSettings, ScoringSettings, TrainingSettings) - _OF_ONE_METHOD - {"seed", "scorer"}
    elsewhere = names - _names(DataSettings) - {"budget"} | {"size", "data_seed"}  # other data has sizes of its own
    datas, scorings = [], []
    for data in given["study_data"]:
        one = _only(given, names) if data == main.data else {**_only(given, elsewhere), "data": data}
        datas.append(_data_of(one, known))
        scorers = ["seq2seq", "answer-from-prefix"] if data in ANSWERED else ["seq2seq"]
        for seed in given["scorer_seeds"]:
            scorings += [find("scoring", {**one, **_scorer(scorer), "seed": seed}, known) for scorer in scorers]
    bits = f"{len(datas)}x{len(given['scorer_seeds'])}"
    return _Spec((*datas, *scorings), _names(SegmentationSettings) | set(OF_SEVERAL["segmentation"]), bits)


def _generation_spec(given: Given, known: Known) -> _Spec:
    names = _names(DataSettings, ScoringSettings, SegmentationSettings, TrainingSettings)
    training = find("training", _only(given, names), known)
    return _Spec((training,), _names(GenerationSettings), training.bits)


def _comparison_spec(given: Given, known: Known) -> _Spec:
    _check_comparable(given["methods"], given["seeds"])
    plain = {name: value for name, value in given.items() if name not in LISTS}
    for_one = {True: plain, False: {name: value for name, value in plain.items() if name != "typed"}}
    each = [
        {**for_one[method.startswith("uni-path")], "method": method, "seed": seed}
        for method in given["methods"]
        for seed in given["seeds"]
    ]
    generations = [find("generation", one, known) for one in each]
    used = {one.key: one for run in generations for one in run.all("scoring")}
    bits = f"{len(given['methods'])}x{len(given['seeds'])}"
    # The questions are read again beside what was written, also where the rest is drawn from what was exported.
    inputs = (generations[0].input("data"), *generations, *used.values())
    return _Spec(inputs, frozenset(["methods", "seeds"]), bits)


def _results_spec(given: Given, known: Known) -> _Spec:
    comparison = find("comparison", {k: v for k, v in given.items() if k not in OF_SEVERAL["segmentation"]}, known)
    left = {"methods", "seeds"} | _OF_ONE_METHOD
    segmentation = find("segmentation", {k: v for k, v in given.items() if k not in left}, known)
    return _Spec((comparison, segmentation, find("own_data", {}, known)), frozenset(), comparison.bits)


def _start_spec(given: Given, known: Known) -> _Spec:
    """The same methods on training sets of several sizes, from each start: a preset is from scratch."""
    plain = {name: value for name, value in given.items() if name not in LISTS}
    each = [
        {**plain, "train_size": size, "model": start, "method": method, "seed": seed}
        for size in given["train_sizes"]
        for method in given["start_methods"]
        for start in given["starts"]
        for seed in given["seeds"]
    ]
    bits = f"{len(given['train_sizes'])}x{len(given['start_methods'])}x{len(given['starts'])}"
    return _Spec(tuple(find("generation", one, known) for one in each), frozenset(OF_SEVERAL["start"]), bits)


@dataclass(frozen=True)
class Cell(Place):
    """A place of a grid and its run, which is a generation, and for the arm ``lookup`` the data."""

    run: Run


def grid_cells(step: str, given: Given, known: Known) -> list[Cell]:
    """The cells of a grid, the last list changing fastest. Raises ParameterError as :func:`ases.grids.places` does."""
    plain = {name: value for name, value in given.items() if name not in LISTS}
    cells = []
    for place in places(step, given):
        needed = _data_of if place.budget is None else _written
        run = needed(place.parameters(plain), known)
        cells.append(Cell(**vars(place), run=run))
    return cells


def _written(given: Given, known: Known) -> Run:
    return find("generation", given, known)


def _grid_spec(step: str) -> Callable[[Given, Known], _Spec]:
    def spec(given: Given, known: Known) -> _Spec:
        runs = {cell.run.key: cell.run for cell in grid_cells(step, given, known)}
        used = {one.key: one for run in runs.values() if run.step != "data" for one in run.all("scoring")}
        bits = "x".join(str(len(given[name])) for name in OF_SEVERAL[step])
        return _Spec((*runs.values(), *used.values()), frozenset(OF_SEVERAL[step]), bits)

    return spec


def _why_spec(given: Given, known: Known) -> _Spec:
    """One training set and budget, whose models are looked into, and the scorers of what they wrote."""
    cells, seeds = grid_cells("why", given, known), given["why_seeds"]
    if len({(cell.train_size, cell.budget) for cell in cells}) > 1 or None in {cell.seed for cell in cells}:
        raise ParameterError(f"{STEPS['why']} looks into models: one why_sizes, one why_budgets, and no arm {LOOKUP}")
    if settings_for(_only(_one_method(given), _names(DataSettings))).data.data != "generated":
        raise ParameterError(f"{STEPS['why']} needs data generated: its questions are about true labels and answers")
    plain = _only(given, _names(DataSettings, ScoringSettings, TrainingSettings) - _OF_ONE_METHOD - {"scorer"})
    plain |= {"train_size": cells[0].train_size, **cells[0].budget.parameters}
    scorings = [find("scoring", {**plain, "seed": seed}, known) for seed in seeds]
    scorings.append(find("scoring", {**plain, **_scorer("answer-from-prefix"), "seed": seeds[0]}, known))
    runs = dict.fromkeys(cell.run for cell in cells)
    used = dict.fromkeys([*scorings, *(one for run in runs for one in run.all("scoring"))])
    return _Spec((*runs, *used), frozenset(OF_SEVERAL["why"]), f"{len(given['why_arms'])}x{len(seeds)}")


def _performance_spec(given: Given, known: Known) -> _Spec:
    """Its models: uni-path to write chains and seq2seq as a scorer, and where there are real rationales theirs."""
    size, folder = given.get("size") or "quick", given.get("data_folder")
    wanted = [{"size": size, "method": method} for method in ("uni-path", BASELINE)]
    words = ["generated"]
    if folder and Path(place_of(folder)).is_dir():
        real = {"size": "smoke" if size == "smoke" else "real", "data": REAL_RATIONALES, "data_folder": folder}
        wanted.append({**real, "method": "uni-path"})
        words.append(REAL_RATIONALES)
    trainings = tuple(find("training", {**one, "seed": 0}, known) for one in wanted)
    return _Spec(trainings, _names(BenchmarkSettings), "-".join(words))


_SPECS: dict[str, Callable[[Given, Known], _Spec]] = {
    "data": _data_spec,
    "training": _training_spec,
    "scoring": _scoring_spec,
    "segmentation": _segmentation_spec,
    "generation": _generation_spec,
    "comparison": _comparison_spec,
    "own_data": lambda given, known: _Spec((), frozenset(), "check"),
    "start": _start_spec,
    **{step: _grid_spec(step) for step in GRIDS},
    "why": _why_spec,
    "results": _results_spec,
    "performance": _performance_spec,
}


def _check_comparable(methods: list[str], seeds: list[int]) -> None:
    """Refuse before any training what the comparison could not compare after it."""
    for name, values in (("methods", methods), ("seeds", seeds)):
        if len(set(values)) < len(values):
            raise ParameterError(f"{name} {values} names one of them twice")
    if BASELINE not in methods:
        raise ParameterError(f"methods {methods} cannot be compared: {BASELINE}, the baseline, is not among them")


def _shown_beside() -> list[str | None]:
    """The results page also shows what was published for real rationales and of the main experiment's grids."""
    arms = ("claims.csv", "plateau.csv", "budgets.csv")
    shown = {
        (Shelf("real"), "comparison"): ("comparison.csv",),
        (Shelf("classroom"), "experiment"): arms,
        (Shelf("classroom", "reports_zh"), "experiment"): arms,
        (Shelf("classroom", "reports_en"), "experiment"): arms,
        (Shelf("real"), "experiment"): arms,
        (Shelf("classroom"), "efficiency"): ("efficiency.csv", "multiples.csv", "flops.csv", "expectations.csv"),
        (Shelf("classroom"), "sensitivity"): ("sensitivity.csv", "longer.csv", "expectations.csv"),
        (Shelf("classroom"), "rates"): ("expectations.csv",),
        (Shelf("quick"), "start"): ("start.csv",),
    }
    paths = [shelf.figures(STEPS[step]) / name for (shelf, step), names in shown.items() for name in names]
    return [file_hash(path) if path.is_file() else None for path in paths]


_NOT_KEYED = ("data_folder", "parts")  # content is in the key instead; a part that is left out can be added later


def _keyed(settings: Settings, given: Given, own: frozenset[str]) -> dict[str, Any]:
    """The run's own parameters with their values: 1 and 1.0 are one value, a folder is known by what is in it."""
    keyed = {name: list(given[name]) for name in sorted(own & LISTS)}
    for part in vars(settings).values():
        kinds = type(part).__annotations__
        for name in (one.name for one in fields(part) if one.name in own and one.name not in _NOT_KEYED):
            value = getattr(part, name)
            value = model_identity(value) if name == "model" else value
            keyed[name] = float(value) if kinds[name] == "float" else value
    return keyed


@cache
def _names(*parts: type) -> frozenset[str]:
    return frozenset(["size", *(one.name for part in parts for one in fields(part))])


def _only(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    names = set(names)
    return {name: value for name, value in values.items() if name in names}
