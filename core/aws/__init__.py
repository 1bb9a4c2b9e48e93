"""Adapters to AWS, behind the ports of core/jobs/ports.py.

job_store        jobs in DynamoDB
job_index        jobs by state and age, for people
contention       writes that others are in the way of
expressions      writes of whole items, as DynamoDB wants them said
items            jobs and calls as items of its table
values           DynamoDB's words for values
files            transcripts, summaries and intermediate texts in S3
objects          one bucket's objects, written on a condition
facts            what is recorded with a summary: its object's metadata, and the facts beside it
names            what things are called in S3
forbidden        a refusal of S3 or KMS, as a reason that names the missing grant
erasing          every version of an object and every item of a job, deleted for good
work_files       old intermediate texts, deleted from a bucket that has no rule for it
presigned_urls   URLs for pull mode's worker
queue            messages to the submitter in SQS
secrets          the API key and callback secrets in Secrets Manager
unreadable_secrets   why one can't be read, and what to do about it
"""
