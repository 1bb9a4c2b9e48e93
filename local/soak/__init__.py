"""A soak: hundreds of transcripts through the deployed stack while everything around it misbehaves.

transcripts  texts of our own, the same for the same seed
load         which files are uploaded, and what must become of each
run          the stack, the faults, the uploads, the sweeps, until every job has ended
evidence     what there is to see afterwards: table, bucket, queues, logs, RunPod's side
checks       what must hold of it
figures      the table that it prints
"""
