"""AS-ES learning: segment rationales, train small seq2seq models on the segments, generate iteratively.

The modules follow the data, and each imports only from those above it:

    errors, settings                what can go wrong, and what can be set
    pieces, examples                text -> pieces; one record of question, rationale and answer
    stories, graphs, problems       generated word problems with gold labels
    arithmetic, sources, splits     numbers in text; real rationales; splits without leakage
    metrics                         how right a chain, and a label, is
    tokens, segments                text -> token ids; labels -> segments -> training pairs
    models                          sequence-to-sequence models, fresh or loaded, and what they cost
    batches, checkpoints, training  pairs -> model
    scores, labels                  pieces -> one score each -> one label each
    generation                      model -> chains
    statistics, evaluation          chains -> tables, and how sure they are
    descriptions                    what data, pieces and pairs look like, as tables
    coloured, looks, figures        tables -> pictures
    provenance, parameters, folders, runs, execution, reproduction, publishing, __main__
                                    run folders, strict notebook parameters, the workflow, the command line
"""

__version__ = "0.1.0"
