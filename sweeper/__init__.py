"""Settles what nobody called back about: app is the Lambda handler, sweep the use case."""
