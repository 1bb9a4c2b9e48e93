"""The RunPod worker of pull mode: one order in, one summary out, all calls made next to the model.

handler    RunPod's SDK and our use case; `python -m worker` runs it
job        one order from beginning to end: fetch, read, summarise, deliver
settings   the one reader of the environment
fetch      the transcript from its presigned URL
summarize  the engine driven beside the model, as the pipeline drives it
route      requests of push mode, passed on to the model
model      the OpenAI-compatible server beside it
deliver    the summary to its presigned URL
http       what fetching, asking and delivering share: sessions, backoff
errors     the one error: a failure code of core/failures.py

Only `handler` needs the package `runpod`, and only when it runs. The worker holds no AWS credentials.
"""
