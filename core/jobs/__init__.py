"""A job's life: its states, what a report means for it, and what carries that out.

model            jobs, calls and attempts, their states and the only moves between them
decide           what one report means for its call as it is now
lifecycle        carries decisions out: claim, retry, hold, publish, fail, advance
refusals         what becomes of a job that S3 refuses to let end
verify           pull mode: a manifest turned into the summary that it tells of
callback         the callback's token and URL: made and checked side by side
ports            what the use cases ask of the world, as protocols
observed_store   a store that reports what each write moved
"""
