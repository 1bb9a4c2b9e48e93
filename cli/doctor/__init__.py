"""`doctor`: what makes a deployment silently not work, each with what was seen and the fix.

command    options, exit codes, and how it prints
gather     reads everything at once, each reading with its own time limit
aws        what is read from AWS
runpod     what is read from RunPod, and the webhook URL tried from here
buckets    what is read of a bucket and its key
expiries   what buckets delete, and when
templates  the deployed template and code beside this checkout's
readings   what was read, in our own words: all that a check sees
registry   the checks by name, and what a finding is
checks     one small judgement each; pure
"""

from cli.doctor.command import doctor_command

__all__ = ["doctor_command"]
