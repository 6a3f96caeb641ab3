"""The experiments, one a module, and what they share.

A study is one module here with

- `study(*, seed, …) -> list[dict]`: plain arguments with full-size defaults in, the
  rows of a small table out, each value a text, an integer or a finite float;
- `SEEDS`: at least three of them;
- `TOY`: arguments that make it run within two seconds, for the tests;
- `PARTS`, if it is long: a list of arguments, `[{"train_noise": "masking"}, …]`. A
  part with one seed is the unit that is run, stored and resumed;
- `NOT_COMPARED`, if need be: columns that no two runs share, such as milliseconds.

The studies share `recipe`, how they train, and `denoisers`, the filters that they
compare.
"""
