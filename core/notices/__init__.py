"""Notices: what everybody else is told of a job's end.

notice     what is told, from the job's record
event_bus  on its way to EventBridge
dead_end   what could not be told, and why
"""
