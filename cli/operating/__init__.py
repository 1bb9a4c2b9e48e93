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
"""
