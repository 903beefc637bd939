# The workflow: one rule a step, one notebook a job. `python -m ases reproduce` calls it, and so does, on a cluster,
#     snakemake --configfile params/paper.yaml --profile params/profiles/slurm
# Which runs there are, and what each needs, is in ases/runs.py; done means that the run's manifest is there.
import shlex
import sys

from ases import reproduction, runs
from ases.parameters import assignments
from ases.provenance import notebook_code

# A job on another machine reads this file again: what was checked and laid ready once need not be twice.
RUNS = (reproduction.prepared if workflow.is_main_process else runs.plan)(config)
PLAN = {run.folder.name: run for run in RUNS}
MANIFEST = "runs/{}/manifest.json"  # relative to the build folder


workdir: str(RUNS[-1].home)



def run_of(rule, wildcards):
    return PLAN[f"{rule}-{wildcards.name}"]


def needs(rule):
    return lambda wildcards: [
        MANIFEST.format(one.folder.name) for one in reproduction.waits_for(run_of(rule, wildcards))
    ]


def code(rule):
    return notebook_code(runs.notebook_path(runs.STEPS[rule]))


def arguments(rule):
    words = lambda wildcards: assignments(run_of(rule, wildcards).parameters)
    return lambda wildcards: shlex.join([runs.STEPS[rule], *(part for word in words(wildcards) for part in ("-p", word))])


COMMAND = f"{shlex.quote(sys.executable)} -m ases run --quiet {{params.arguments}} --manifest {{output}} 2>&1"


rule all:
    input: [MANIFEST.format(name) for name in PLAN]


rule data:
    output: MANIFEST.format("data-{name}")
    params: code=code("data"), arguments=arguments("data")
    threads: 1
    priority: 50
    shell: COMMAND


rule training:
    input: needs("training")
    output: MANIFEST.format("training-{name}")
    params: code=code("training"), arguments=arguments("training")
    threads: 1
    priority: 20
    shell: COMMAND


# The scorers: scoring, and with it half of the trainings, wait for them.
use rule training as scorer with:
    output: MANIFEST.format("training-{name,(seq2seq|answer-from-prefix)-.*}")
    priority: 40


ruleorder: scorer > training


rule scoring:
    input: needs("scoring")
    output: MANIFEST.format("scoring-{name}")
    params: code=code("scoring"), arguments=arguments("scoring")
    threads: 1
    priority: 30
    shell: COMMAND


rule segmentation:
    input: needs("segmentation")
    output: MANIFEST.format("segmentation-{name}")
    params: code=code("segmentation"), arguments=arguments("segmentation")
    threads: 1
    shell: COMMAND


rule generation:
    input: needs("generation")
    output: MANIFEST.format("generation-{name}")
    params: code=code("generation"), arguments=arguments("generation")
    threads: 1
    priority: 10
    shell: COMMAND


rule comparison:
    input: needs("comparison")
    output: MANIFEST.format("comparison-{name}")
    params: code=code("comparison"), arguments=arguments("comparison")
    threads: 1
    shell: COMMAND


rule own_data:
    output: MANIFEST.format("own_data-{name}")
    params: code=code("own_data"), arguments=arguments("own_data")
    threads: 1
    shell: COMMAND


rule start:
    input: needs("start")
    output: MANIFEST.format("start-{name}")
    params: code=code("start"), arguments=arguments("start")
    threads: 1
    shell: COMMAND


rule experiment:
    input: needs("experiment")
    output: MANIFEST.format("experiment-{name}")
    params: code=code("experiment"), arguments=arguments("experiment")
    threads: 1
    shell: COMMAND


rule efficiency:
    input: needs("efficiency")
    output: MANIFEST.format("efficiency-{name}")
    params: code=code("efficiency"), arguments=arguments("efficiency")
    threads: 1
    shell: COMMAND


rule sensitivity:
    input: needs("sensitivity")
    output: MANIFEST.format("sensitivity-{name}")
    params: code=code("sensitivity"), arguments=arguments("sensitivity")
    threads: 1
    shell: COMMAND


rule rates:
    input: needs("rates")
    output: MANIFEST.format("rates-{name}")
    params: code=code("rates"), arguments=arguments("rates")
    threads: 1
    shell: COMMAND


rule why:
    input: needs("why")
    output: MANIFEST.format("why-{name}")
    params: code=code("why"), arguments=arguments("why")
    threads: 1
    shell: COMMAND


rule results:
    input: needs("results")
    output: MANIFEST.format("results-{name}")
    params: code=code("results"), arguments=arguments("results")
    threads: 1
    shell: COMMAND
