"""What an operator does with a deployed stack, in the cloud or on this machine: `summaries --help`.

desk       the stack that a command is for, its options, and how it prints
finding    one job by its id, the beginning of it, or the key of its file
listing    jobs by state, age, key and reason
status     whether it is healthy, at a glance
story      what happened to one job, and where its time went
"""
