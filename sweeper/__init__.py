"""Settles what nobody called back about.

app      the Lambda handler
sweep    the use case: everything that is due, within the time there is
looks    what a due call or job needs, without RunPod
polling  asks RunPod about a call, and does what its answer says
lanes    threads within a time budget
gauges   what each sweep measures besides its work
report   what a sweep found, as lines and figures
results  what a look can come to
"""
