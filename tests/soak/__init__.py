"""A soak test: hundreds of transcripts through the local stack while everything around it misbehaves.

`python -m tests.soak` or `make soak`.

transcripts  generated meetings, the same for the same seed
load         which files are uploaded, and how each must end
run          starts stack and faults, uploads, sweeps, until every job has ended
evidence     what is collected afterwards: table, bucket, queues, logs, RunPod's side
checks       what must hold for the evidence
figures      the table that it prints
progress     a bar, or a line now and then
"""
