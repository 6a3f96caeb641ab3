"""The notebook pipeline: percent scripts in, executed pages out.

`source` reads a script, `fingerprint` says what its outputs depend on, `cache`
keeps outputs, `execute` makes them, `pipeline` puts these four together, and
`convert` turns the result into Markdown and images. Nothing here knows MkDocs.
"""
