"""Takes uploads and requests for another attempt; starts RunPod requests; never waits for one.

app        the Lambda handler
use_cases  the use cases over the real adapters
messages   what stands in an event: uploads, and calls that want an attempt
uploads    what keeps an upload from being read at all
overrides  what the uploader of one file chose for its summary
intake     an upload becomes a job
dispatch   a waiting call becomes a RunPod request
attempts   what becomes of a claimed attempt, as it is put on record
stages     a stage is done, and what follows begins
material   what calls read and stages plan, stored once
record     new jobs and calls as they are recorded
requests   the body of POST /run
"""
