"""A job's life: its states, what a report means for it, and what carries that out.

job              a job, and the upload it is of
call             a call, its attempts, and the only transitions between its states
audit            the line that each transition leaves
decide           what one report means for its call as it is now
settle           carries out what a report means
publishing       what a call's result makes: a summary, or an answer of several
at_once          the summary that a short transcript's one answer makes, without a stage's end
material         what a job begins with and each stage asks, as it was stored
durations        where a job's time went: queue, GPU, ours
lifecycle        retry, hold, publish, fail, close, advance: what can happen to a job, each once
verify           pull mode: a manifest is believed once its summary was read
callback         the callback's token and URL: made and checked side by side
ports            what the use cases ask of the world, as protocols
observed_store   a store that reports the transitions of each write
"""
