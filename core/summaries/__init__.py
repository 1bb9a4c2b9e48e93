"""How a summary is planned, asked for, cleaned and put together. Pure.

options    what is asked for with one upload
plans      what a job's calls read and write, stage by stage, and how a length is repaired
stages     what a stage of calls leaves, and what is asked for again
levels     a transcript, or the notes of it, in chunks with what they cost
chunks     a long text cut at turns and sentences, and partitioned
tokens     how many tokens a text may cost
models     the model profiles: what each takes, and the endpoint settings it needs
prompts    the chat messages of one call; the texts are files in prompts/
chat       the chat request of one call
cleaning   a model's answer without what stands around it
join       summaries of parts put together as one
"""
