"""Delivers notices to a webhook of the operator's choice, signed by the rules of Standard Webhooks.

app        the Lambda handler
deliver    one message: sent, put off, or given up
message    an event as the body of a request
signing    the headers, by the secret or, while it is exchanged, by both
receiver   the request itself, to the address that was checked
addresses  which addresses may be sent to
schedule   when to try again
"""
