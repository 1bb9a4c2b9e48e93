"""Draws the deployed dashboard, as the template has it, from a run on this machine.

__main__   the command: `make dashboard`
run        the local stack with jobs that go well and badly
figures    what that run left: embedded metrics, Lambda's report lines, the log
sums       CloudWatch's statistics and expressions over them
charts     lines and bars over a run's periods
pictures   the widgets of the dashboard, drawn
"""
