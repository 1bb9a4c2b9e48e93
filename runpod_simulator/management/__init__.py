"""RunPod's management API, version 2: endpoints and templates are made, changed and deleted.

bodies     which request bodies are taken, as JSON Schemas
state      the endpoints and templates there are, in memory
gpus       the catalogue of GPUs, and which are free
routes     the HTTP interface

It changes nothing about the endpoint that is simulated: what is made here runs no jobs.
"""
