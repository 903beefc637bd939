"""The command line: ``python -m ases run | reproduce | benchmark | status | verify | export | publish | ...``.

    python -m ases run 03_segmentation -p beta=1.1
    python -m ases reproduce params/quick.yaml
    python -m ases check my/rationales.csv --column question=task

Problems that the user can solve are told in plain words with exit code 2; a notebook that fails, and a checked file
with problems, exit with 1. Each command imports what it needs when it runs: a check takes two seconds, not ten.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from ases.errors import AsesError, ParameterError
from ases.presets import PRESETS


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except AsesError as error:
        print(f"{error}", file=sys.stderr)
        return 1 if _is_of_notebook(error) else 2
    except BrokenPipeError:  # such as `status | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        from ases.execution import unwritable

        if not (problem := unwritable(error)):
            raise
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; what is finished is kept, and the same command goes on from there", file=sys.stderr)
        return 130


def _is_of_notebook(error: AsesError) -> bool:
    execution = sys.modules.get("ases.execution")
    return execution is not None and isinstance(error, execution.NotebookError)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ases", description="AS-ES learning, notebook by notebook")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Any, text: str, with_file: bool = True, default: str = "quick"
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(command=command)
        if with_file:
            text = f"parameter file (default: params/{default}.yaml)"
            one.add_argument("file", nargs="?", metavar="FILE", help=text)
        one.add_argument("-p", dest="given", action="append", default=[], metavar="NAME=VALUE", help="a parameter")
        return one

    run = add("run", _run, "execute one notebook", with_file=False)
    run.add_argument("notebook", metavar="NOTEBOOK", help="by name (04_training) or path")
    run.add_argument("-f", dest="file", metavar="FILE", help="parameter file, such as params/smoke.yaml")
    run.add_argument("--out", type=Path, metavar="PATH", help="copy the executed notebook there, too")
    run.add_argument("--manifest", type=Path, metavar="PATH", help="copy the finished run's manifest there, too")
    run.add_argument("--quiet", action="store_true", help="do not print where the executed notebook is")
    whole = add("reproduce", _reproduce, "compute everything that a parameter file asks for")
    whole.add_argument("--cores", type=_cores, metavar="N", help="notebooks at a time (default: 2, or fewer cores)")
    text = "measure speed and memory, and publish the performance notebook"
    add("benchmark", _benchmark, text, default="benchmark")
    status = add("status", _status, "which runs are done, running, failed (and why) or missing, and how long is left")
    status.add_argument("--cores", type=_cores, metavar="N", help="notebooks at a time (default: 2, or fewer cores)")
    add("verify", _verify, "compare the computed tables with the published ones")
    export = add("export", _export, "keep finished runs' metrics and predictions in figures/results")
    for one in (whole, status, export):
        text = "of the notebooks that the file ends with this one alone, with what it needs; may be said again"
        one.add_argument("--only", action="append", default=[], metavar="NOTEBOOK", help=text)
    renew = add("publish", _publish, "renew notebooks/ and figures/ from what reproduce made")
    renew.add_argument("--only", action="append", default=[], metavar="NOTEBOOK", help="publish this one alone")
    text = "fetch a named data set from its origin, at one commit, checked by hash"
    fetch = commands.add_parser("download", help="fetch a named data set", description=text)
    fetch.set_defaults(command=_download)
    fetch.add_argument("data", metavar="SET", help="gsm8k, llm_adapters_cot or palm_svamp_cot")
    fetch.add_argument("folder", type=Path, metavar="FOLDER", help="where its files go")
    listed = commands.add_parser("reference", help="renew what the README lists: findings and parameters")
    listed.set_defaults(command=_reference)
    text = "read a data file to its end, and say what is in it and what is wrong with it; without one, try this package"
    check = commands.add_parser("check", help="look at a data file, or at the installation", description=text)
    check.set_defaults(command=_check)
    kinds = "JSONL, JSON, CSV, TSV or Parquet; text also in .gz or .zip (without: versions, and the method once)"
    check.add_argument("data", nargs="?", metavar="FILE", help=kinds)
    text = "which column holds question, rationale, answer or qid; once for each"
    check.add_argument("--column", action="append", default=[], metavar="FIELD=COLUMN", help=text)
    text = "tokens of question and rationale above which a row is counted (default: 512)"
    check.add_argument("--limit", type=_number, metavar="TOKENS", help=text)
    check.add_argument("--show", type=_number, default=10, metavar="N", help="problems to print (default: 10)")
    text = "make a start checkpoint from plain text, or go on with an interrupted one"
    start = commands.add_parser("pretrain", help="make a start checkpoint", description=text)
    start.set_defaults(command=_pretrain)
    start.add_argument("folder", type=Path, metavar="FOLDER", help="where the checkpoint, its recipe and its card go")
    start.add_argument("--preset", choices=list(PRESETS), help="the model's shape (default: micro)")
    start.add_argument("--problems", type=_number, metavar="N", help="generated problems to read")
    start.add_argument("--reports", type=_number, metavar="N", help="generated reports to read, of each language")
    start.add_argument("--vocabulary", type=_number, metavar="N", help="tokens of the vocabulary")
    start.add_argument("--budget", type=float, metavar="FLOPS", help="training FLOPs")
    start.add_argument("--seed", type=int, metavar="N", help="of texts, weights and gaps (default: 0)")
    start.add_argument("--gsm8k", type=Path, metavar="FILE", help="GSM8K's train.jsonl, to be read too")
    text = "a set that models are tested on, such as llm_adapters_cot=FOLDER: its questions are not read; once for each"
    start.add_argument("--tested", action="append", default=[], metavar="SET=FOLDER", help=text)
    return parser


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return int(text)


def _cores(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of cores")
    return int(text)


def _parameters(options: argparse.Namespace) -> dict[str, Any]:
    from ases import parameters as strict

    in_file = strict.load_file(options.file or strict.root() / "params" / "quick.yaml")
    return {**in_file, **strict.parse_assignments(options.given)}


def _parameters_of_only(options: argparse.Namespace) -> dict[str, Any]:
    from ases.runs import only_for

    return only_for(_parameters(options), options.only)


def _run(options: argparse.Namespace) -> int:
    from ases import parameters as strict
    from ases.execution import execute, prepare

    in_file = strict.load_file(options.file) if options.file else {}
    notebook = strict.notebook_path(options.notebook)
    run, values = prepare(notebook, in_file, strict.parse_assignments(options.given))
    finished = execute(notebook, run, values, options.out)
    if options.manifest is not None and run is not None and options.manifest.resolve() != run.manifest_path:
        options.manifest.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run.manifest_path, options.manifest)
    if not options.quiet:
        print(finished, flush=True)
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    from ases.reproduction import reproduce
    from ases.verification import report

    parameters = _parameters_of_only(options)
    print(report(parameters, reproduce(parameters, options.cores)), flush=True)
    return 0


def _benchmark(options: argparse.Namespace) -> int:
    from ases import parameters as strict
    from ases.publishing import publish_measured
    from ases.reproduction import benchmark

    in_file = strict.load_file(options.file or strict.root() / "params" / "benchmark.yaml")
    run = benchmark(in_file, strict.parse_assignments(options.given))
    print(f"measured: {run.figure_folder}", flush=True)
    for path in publish_measured(run, in_file):
        print(path.relative_to(strict.root()))
    return 0


def _status(options: argparse.Namespace) -> int:
    from ases.reproduction import at_a_time, planned
    from ases.status import report_lines

    parameters = _parameters_of_only(options)
    print("\n".join(report_lines(planned(parameters), at_a_time(options.cores), parameters)))
    return 0


def _verify(options: argparse.Namespace) -> int:
    from ases.verification import verify

    lines, good = verify(_parameters(options))
    print("\n".join(lines))
    return 0 if good else 1


def _export(options: argparse.Namespace) -> int:
    from ases import parameters as strict
    from ases.exporting import export
    from ases.reproduction import planned

    written = export(planned(_parameters_of_only(options)))
    print("\n".join(str(path.relative_to(strict.root())) for path in written) or "nothing to export that is not there")
    return 0


def _publish(options: argparse.Namespace) -> int:
    from ases import parameters as strict
    from ases.publishing import publish

    parameters = _parameters(options)
    in_file = strict.load_file(options.file or strict.root() / "params" / "quick.yaml")
    for path in publish(parameters, in_file, options.only):
        print(path.relative_to(strict.root()))
    return 0


def _check(options: argparse.Namespace) -> int:
    if options.data is None:
        from ases.installation import check_installation

        check_installation(lambda line: print(line, flush=True))
        return 0
    from ases import checks
    from ases.rows import parse_columns

    def told(message: str, done: float) -> None:
        if sys.stderr.isatty():
            print(f"\r{message}, {done:.0%}", end="", file=sys.stderr, flush=True)

    found = checks.check_file(
        options.data,
        columns=parse_columns(options.column),
        limit=options.limit or checks.LIMIT,
        show=options.show,
        progress=told,
    )
    print(checks.report(found), flush=True)
    return 0 if found.good else 1


def _reference(options: argparse.Namespace) -> int:
    from ases.reference import renew_readme

    print(renew_readme())
    return 0


def _download(options: argparse.Namespace) -> int:
    from ases.downloads import download

    for path in download(options.data, options.folder):
        print(path)
    return 0


def _pretrain(options: argparse.Namespace) -> int:
    from ases import plain_texts, pretraining

    if options.gsm8k and not options.tested:
        raise ParameterError("--gsm8k is read without what models are tested on: name each such set with --tested")
    places = dict(entry.partition("=")[::2] for entry in options.tested)
    names = ("preset", "problems", "reports", "vocabulary", "budget", "seed")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = pretraining.PretrainingSettings(**given)
    tested = plain_texts.collected_examples(places)
    made = {"problems": settings.problems, "reports": settings.reports, "seed": settings.seed}
    texts = plain_texts.collect_texts(**made, gsm8k=options.gsm8k, evaluated=tested)
    print(texts.account.to_string(index=False), flush=True)

    def told(message: str, done: float) -> None:
        print(f"{done:4.0%} {message}", flush=True)

    print(pretraining.pretrain(options.folder, settings, texts, told))
    return 0


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    # A shell starts a job in the background deaf to interrupts, and the workflow and its notebooks would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
