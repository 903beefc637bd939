"""AS-ES learning: segment rationales, train small seq2seq models on the segments, generate iteratively.

The modules follow the data, and each imports only from those above it:

    errors, settings                what can go wrong, and what can be set
    pieces, examples                text -> pieces; one record of question, rationale and answer
    problems                        generated word problems with gold labels
    sources, splits                 real rationales; splits without leakage
    segments                        labels -> segments -> training pairs
    models                          tokenizers and seq2seq models, fresh or loaded
    scores                          pieces -> one score each
    training, generation            pairs -> model -> chains
    metrics, statistics             chains -> numbers, and how sure they are
    figures                         tables -> pictures
    runs, parameters, __main__      run folders, strict notebook parameters, the command line
"""

__version__ = "0.1.0"
