"""RunPod's protocol: what is sent, what comes back, and what each failure means.

client         the endpoint over HTTP
health         what /health says of an endpoint
reports        RunPod's words about a request, turned into ours
worker_errors  what a worker's error means, by its words
work_order     pull mode: what the worker is sent, and the manifest it answers with
"""
