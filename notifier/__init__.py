"""Tells of jobs that have ended, as events on EventBridge.

app      the Lambda handler
records  records of the table's stream to jobs
notify   what can be told, and what is kept because it can't
"""
