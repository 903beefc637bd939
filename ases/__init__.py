"""AS-ES learning: segment rationales, train small seq2seq models on the segments, generate iteratively.

The modules follow the data, and each imports only from those above it:

    errors, presets, choices, settings   what can go wrong, and what can be set
    pieces, examples                     text -> pieces; one record of question, rationale and answer
    stories, graphs, problems            generated word problems with gold labels
    lesions, report_*, reports           generated PET reports with gold labels, Chinese and English
    numerals, arithmetic                 numbers in text
    memory, layouts, files, rows, checks files of any layout, row by row; a dry look at one
    downloads, hub, rationales, sources  named sets and anyone's own: the one door
    gathering, duplicates, splits, scale splits without leakage, at any size
    metrics, measures                    how right a chain, and a label, is
    tokens, segments                     text -> token ids; labels -> segments -> training pairs
    models, hardware, threads            sequence-to-sequence models, fresh or loaded, and what they cost
    batches, checkpoints, trainer, ...   pairs -> model (training, losses, starts, plain_texts, pretraining, processes)
    likelihoods, scorers, novelty        what a trained model, or the words alone, say of each piece
    scores, labels                       pieces -> one score each -> one label each
    shards, scoring                      one scoring run, in parts that a killed run finds again
    chains, token_steps, engines, ctranslate, journal, voting,
    generation, live                     model -> chains
    kinds, aligned, detection, ranking,
    agreement, study, study_tables       how right each strategy is
    power, statistics, effects, steps,
    curves, evaluation, certainty, starts chains -> tables, and how sure they are
    lookup, cells, longer, planning, claims,
    rates, verdicts, expectations,
    study_expectations, efficiency       a control without a model; grids of runs; how much data a method needs
    ratios, trials, breaks,
    begun, interventions, contributions,
    interference, information,
    attention, segment_states,
    length_control, why, head_starts,
    helps                                why: where chains break, what each part adds, what models learn and look at
    scoring_speed, benchmarks_*          how fast, and with how much memory
    descriptions, cards, gallery,
    demonstration                        what data, pieces and pairs look like, as tables
    coloured, slider, looks, figures,
    chain_figures, training_figures,
    data_figures, detection_figures,
    efficiency_figures, grid_figures,
    why_figures, inside_figures,
    longer_figures                       tables -> pictures
    performance, speed_words,
    speed_figures                        what was measured -> tables, sentences, pictures
    provenance, parameters, progress,
    folders, sweeps, identities, grids,
    needs, runs,
    execution, exporting,
    reproduction, status, publishing,
    verification, reference,
    installation, __main__               run folders, strict notebook parameters, the workflow, the command line
"""

__version__ = "0.1.0"
