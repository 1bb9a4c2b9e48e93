"""The whole pipeline in a world of its own, where everything that can go wrong does.

    turns      invocations as greenlets: they wait wherever they reach for the outside world
    weather    what goes wrong in one run, and how often
    world      the clock, the agenda, the history, and who is where
    services   S3, DynamoDB, SQS and the secrets, one turn a request
    platform   RunPod: its queue, its workers, its callbacks
    functions  the real handlers with their real wiring, invoked as Lambda does
    promises   what must hold at every step, and when all is quiet
    story      one run: who uploads what, and until when; all of it decided by a seed

`python -m tests.simulation --seeds 10000` runs many; `--seed 42` tells one.
"""
