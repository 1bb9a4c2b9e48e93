"""The whole pipeline in a simulated world, where everything that can go wrong does.

    scheduler      runs invocations as greenlets, which wait wherever they reach for the outside world
    fault_profile  what goes wrong in one run, and how often
    simulation     the clock, the agenda and the history that everything in a run shares
    services       S3, DynamoDB, SQS and the secrets
    runpod         RunPod: its queue, its workers, its callbacks
    functions      the real handlers with their real wiring, invoked as Lambda does
    invariants     what must hold at every step, and when all is quiet
    run            one run: who uploads what, and until when, all of it decided by a seed

`python -m tests.simulation --seeds 10000` runs many; `--seed 42` prints the history of one.
"""
