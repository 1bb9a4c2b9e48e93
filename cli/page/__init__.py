"""A small page on this machine: jobs as they move, a job's story, its summary beside its transcript.

`command` is `summaries ui`, `server` what it and `make up` run: a threaded HTTP server on loopback.
`guard` says who may ask, `app` routes, `api` reads and `changes` changes, both by what the commands are
made of (cli/operating). `jobs`, `story`, `side_by_side` and `marks` make what is shown. `static` holds
the page: HTML, CSS and modules as the browser takes them, with no build step. It gets data alone, and
shows all of it as text.
"""
