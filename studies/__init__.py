"""The evidence: experiments whose tables the site's pages plot.

The experiments are modules in `studies/experiments/`. What is here runs them:

- `runner`: run a study unit by unit, and know what is stale
- `tables`: write its table, and compare it with the same table made again

`python -m studies` runs what is missing or stale and writes each finished study's
table and the record of what made it to `dae_tutorial/evidence/tables/`, from where
pages read them. `python -m studies status` shows what is fresh.
"""
