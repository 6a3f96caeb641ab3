# ---
# title: All results
# description: Every table behind the evidence pages, what made it, and the command that makes it again.
# data: dae_tutorial/evidence/tables/*
# ---

# %% [markdown]
# # All results

# %% tags=["hide-code"]
from IPython.display import Markdown

from dae_tutorial.evidence import tables

records = [tables.read_record(name) for name in tables.names()]
rows = sum(len(tables.read(record["study"])) for record in records)
minutes = sum(sum(record["seconds"]) for record in records) / 60
Markdown(
    '!!! abstract "In two sentences"\n'
    f"    The evidence rests on {len(records)} studies with {rows:,} measured rows and "
    f"three seeds each, which took at most {minutes:.0f} minutes of one core. The seeds "
    "show how much of a difference is chance; they do not show that a study asks the "
    "right question, so look on each page for its noise, its measure and how long its "
    "models trained."
)

# %% tags=["check"]
assert all(len(record["seeds"]) == 3 for record in records)

# %% [markdown]
# The studies of the evidence pages rest on tables, and every table on a program. This
# page gathers all of them. It is itself a program: it reads them through
# [`tables`](../reference/tables.md), and no number of a table was typed by hand. The
# tables were made before the site was built, with the versions that their records name.
# (One idle core needs at most the minutes that stand here: the machine had other work, too.)
#
# How long the models of a study trained stands among its arguments, as `steps` or
# `epochs`. Gaussian noise comes in two kinds, [clipped to $[0, 1]$ or
# not](clipped-or-not.py). Studies with a column `clip`, `clipping`, `occlusion`,
# `pretraining` and `broken_assumptions` have both; `photographs`, `without_clean`,
# `own_pixel`, `priors`, `boxes` and `jacobians` have unclipped noise; the others clip, if
# they have Gaussian noise at all.
#
# ## Make them again
#
# ```bash
# make studies                          # run what is missing or stale
# python -m studies status              # is each table that of today's code?
# python -m studies --again             # run all, compare with the tables
# python -m studies which_noise --seeds 0
# ```
#
# A study runs in units, one for each seed and part, and each unit is kept as it ends:
# interrupt a run whenever you like, and start it again. Beside each table lies a record
# of its arguments, the versions of the libraries and a digest of all the code that it
# used. If that code changes, a test fails and names the study.
#
# ## The tables at a glance

# %% tags=["hide-code"]
import numpy as np

lines = ["| study | rows | seeds | minutes | made with |", "|---|---|---|---|---|"]
for record in records:
    rows = tables.read(record["study"])
    minutes = sum(record["seconds"]) / 60
    versions = ", ".join(
        f"{library} {record['versions'][library]}" for library in ("python", "torch")
    )
    lines.append(
        f"| `{record['study']}` | {len(rows)} | {len(record['seeds'])} "
        f"| {minutes:.0f} | {versions} |"
    )
Markdown("\n".join(lines))

# %% [markdown]
# ## Each table
#
# Numbers with a fraction are the mean ± standard deviation over the seeds. Of a long table
# you see the beginning. All of it, every seed by itself, is in the package:

# %%
every_seed = tables.read("which_noise")
print(f"{len(every_seed):,} rows such as {every_seed[0]}")


# %% tags=["hide-code"]
def cell(values):
    """Show one place of a table over all seeds."""
    if len(set(values)) == 1:
        return f"{values[0]:g}" if isinstance(values[0], float) else str(values[0])
    if isinstance(values[0], str):
        return "; ".join(dict.fromkeys(values))  # chosen anew for each seed
    mean, deviation = np.mean(values), np.std(values, ddof=1)
    return f"{mean:.3g} ± {deviation:.1g}"


def shown(record):
    """Return a study's section, its rows averaged over the seeds."""
    rows = tables.read(record["study"])
    # Pictures are kept as long texts, which nobody can read.
    columns = [name for name in rows[0] if len(str(rows[0][name])) < 80][1:]
    places = len(rows) // len(record["seeds"])
    length = places if places <= 40 else 10
    title = f"{length} of {places} rows" if length < places else f"{places} rows"
    lines = [
        f"### {record['study'].replace('_', ' ').capitalize()}",
        f"`python -m studies {record['study']}`, arguments: "
        + (", ".join(f"{k} = {v}" for k, v in record["arguments"].items()) or "none")
        + ".",
        f'??? note "{title}"',
        "    | " + " | ".join(columns) + " |",
        "    |" + "---|" * len(columns),
    ]
    for place in range(length):
        same = rows[place::places]
        texts = [cell([row[name] for row in same]) for name in columns]
        lines.append("    | " + " | ".join(texts) + " |")
    return "\n\n".join(lines[:2]) + "\n\n" + lines[2] + "\n\n" + "\n".join(lines[3:])


Markdown("\n\n".join(shown(record) for record in records))
