"""Takes RunPod's callbacks.

app        the Lambda handler
callbacks  the token checked, the body read
receive    the report confirmed, if asked for, and settled
"""
