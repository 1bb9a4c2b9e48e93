"""What an operator does with a deployed stack, in the cloud or on this machine: `summaries --help`.

desk           the stack that a command is for, its options, and how it prints
finding        one job by its id, the beginning of it, or the key of its file
spans          times and ages as people write them
runpod         RunPod's endpoint, with the address and the key of the functions
function_logs  the functions' log lines
prices         what GPU seconds cost
results        a job's summary and facts
story          what happened to one job, and where its time went
spending       what jobs have used, and what RunPod bills for it
exports/       a summary as page, document, Markdown with front matter

Each command has a module: status, list (listing), show (and show_story), logs, cost, get, watch.

What changes something:

asking          `--dry-run`, `--yes`, and the question between them
deployed        the functions' own settings, and adapters that work with them
outcomes        what came of a command for each job it was given, and why not
upload_options  what can be chosen for one file, checked as the submitter will
submitting      `submit`: uploads, and waits for their summaries
retrying        `retry`: failed jobs start anew, as new versions of their files (copying)
cancelling      `cancel`: active jobs end, and their requests at RunPod
redriving       `redrive`: dead letters, a look first
queues          messages of a queue, held for a look
notices         `notices`: what could not be told of jobs (dead_notices), told again
sweeping        `sweep`: now
stopping        `stop` and `resume`, by a stack's two switches (switches)
awaiting        waits until jobs have ended
forgetting      `forget`: all that is kept about one transcript
secrets         `secret`: the callback secret's rotation (rotation), RunPod's key

And without a stack: `read` (reading), with what a summary would take (estimating).
"""
