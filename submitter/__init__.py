"""Takes uploads and requests for another attempt; starts RunPod requests; never waits for one.

app       the Lambda handler
messages  what stands in an event: uploads, and calls that want an attempt
submit    the use case: an upload becomes a job, a waiting call a RunPod request
outcomes  what becomes of a claimed attempt, as it is put on record
"""
