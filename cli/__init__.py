"""The operator's commands: `summaries --help`. Never deployed.

__main__     the commands by name; each is imported when it is run (lazy)
deploy       checks, questions, `sam build`, `sam deploy`, and what to do next
destroy      deletes the stack, and its data once the stack's name is typed
deployment   a deployed stack as its operator uses it, in the cloud or on this machine
answers      what was answered, and the file that keeps it
parameters   what template.yaml allows, so that nonsense is refused at once
checks       credentials, Region, key and endpoint, before anything is built
operating/   what is done with a deployed stack: list, show, retry and the rest
endpoint/    plan, apply, show, drift: RunPod's endpoint as the model profile needs it
leftovers    buckets that an earlier stack of the same name left behind
"""
