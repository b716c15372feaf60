"""Rendering blocks in V8 isolates of child processes.

| module | what it holds |
|---|---|
| `prerenderer` | renders blocks, in several isolates side by side where there are many |
| `client` | the parent's side of one isolate: a child process and what it has loaded |
| `protocol` | the frames between the two processes |
| `process` | the child process with its V8 isolate; `harness` is the script that it runs first |
| `html_check` | what raw HTML a component may render |
| `error_mapping` | from a JavaScript error to a line of the stored code |
| `keys` | the cache keys of blocks |

Nothing is imported here, because the child process imports `html_check` and must start quickly.
`robbieblocks.prerender` names what other packages use.
"""
