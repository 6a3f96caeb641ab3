"""The runner of notebooks: what they are, run and keep, the kernel, MkDocs' hook.

`notebook` reads a script; `run` knows when its outputs are stale, makes and keeps them;
`kernel` is loaded where they run; `hook` gives the executed notebooks to MkDocs.
"""
