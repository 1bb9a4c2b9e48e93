"""Takes uploads and requests for another attempt; starts RunPod requests; never waits for one.

app       the Lambda handler
messages  what stands in an event: uploads, and calls that want an attempt
submit    the use case
"""
