"""The command line: ``python -m ases run | reproduce | status | verify | export | publish | ...``.

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

from ases.errors import AsesError


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

    def add(name: str, command: Any, text: str, with_file: bool = True) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(command=command)
        if with_file:
            one.add_argument("file", nargs="?", metavar="FILE", help="parameter file (default: params/quick.yaml)")
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
    status = add("status", _status, "which runs are done, running, failed (and why) or missing, and how long is left")
    status.add_argument("--cores", type=_cores, metavar="N", help="notebooks at a time (default: 2, or fewer cores)")
    add("verify", _verify, "compare the computed tables with the published ones")
    add("export", _export, "keep finished runs' metrics and predictions in figures/results")
    renew = add("publish", _publish, "renew notebooks/ and figures/ from what reproduce made")
    renew.add_argument("--only", action="append", default=[], metavar="NOTEBOOK", help="publish this one alone")
    text = "fetch a named data set from its origin, at one commit, checked by hash"
    fetch = commands.add_parser("download", help="fetch a named data set", description=text)
    fetch.set_defaults(command=_download)
    fetch.add_argument("data", metavar="SET", help="gsm8k, llm_adapters_cot or palm_svamp_cot")
    fetch.add_argument("folder", type=Path, metavar="FOLDER", help="where its files go")
    listed = commands.add_parser("reference", help="renew the README's list of parameters")
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

    parameters = _parameters(options)
    print(report(parameters, reproduce(parameters, options.cores)), flush=True)
    return 0


def _status(options: argparse.Namespace) -> int:
    from ases.progress import report_lines
    from ases.reproduction import at_a_time, planned

    print("\n".join(report_lines(planned(_parameters(options)), at_a_time(options.cores))))
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

    written = export(planned(_parameters(options)))
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


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
