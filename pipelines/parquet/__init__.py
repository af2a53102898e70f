"""Corpora of addresses in Parquet, without a picture: LAION, COYO, DataComp metadata and their like.

What stands in a table is parsed in the examining process and nowhere else: `columns`, `reader`, `rows`, `answer` and
`rewrite` run there. `survey`, `examine`, `evidence`, `separate` and `prove` run in the parent and take plain answers.
"""
