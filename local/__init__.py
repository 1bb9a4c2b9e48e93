"""The local stack: the real template on this machine, with its demo. Never deployed.

demo        one transcript through the pipeline (`python -m local demo`)
up          the stack, kept up, with an inbox (`python -m local up`)
options     the options of both, and the Setup that they describe
follow      one upload's job, step by step
answers     what the model answered to each request of a job
report      prints audit, outcome and summary; saves the copies
steps       the steps that are shown, and the observer that reports them
progress    shows the steps on a terminal
terminal    console, signals, exit codes
waiting     polls with a timeout
stack/      starts and stops everything
"""
