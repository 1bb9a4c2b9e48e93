"""What the Lambda functions and the worker share, in rooms. A room imports only those below it.

wiring        builds the adapters that the functions share
outcomes      what of a job's life is logged and counted
notices       what everybody else is told of a job's end
aws           DynamoDB, S3, SQS and Secrets Manager behind the ports
telemetry     the logger and the metrics
jobs          a job's life: states, decisions, and what carries them out
settings      what each function is set to
variables     the one reader of the environment
runpod        the endpoint's protocol: requests, reports, failures
summaries     how a summary is planned, asked for, cleaned and put together
transcripts   the bytes of an upload, read as turns of speakers
failures      every failure code: what happened, what to do, whether a retry may help
errors        the error tree: one class for each different reaction
words         how many words a text has, also in scripts without spaces

`lint-imports` holds the arrows (pyproject.toml); each room says in its own docstring what is in it.
Everything is pure (no AWS, no HTTP, no clock, no environment) but aws, notices, outcomes, telemetry,
settings, wiring and runpod/client.py.
"""
