"""What the Lambda functions share. Pure, unless marked * (an adapter to AWS, HTTP or the environment).

jobs          a job, its calls, their states and the only moves between them
callback      the callback token and URL: made and checked side by side
cleaning      a model's answer without what stands around it
reports       RunPod's words about a request, turned into ours
transcripts   bytes from S3 to a transcript in turns, whatever its format
formats       the formats of transcripts: captions, speech recognisers' JSON, meeting exports, text
turns         who said what: remarks joined into turns
names         what things are called in S3
models        what a model can take, and the endpoint settings it needs
words         how many words a text has, also in scripts without spaces
budget        how many tokens a text may cost
pieces        a long text cut at turns and sentences, and shared out
plans         what a job's calls read and write, stage by stage, and how a length is repaired
layers        a transcript, or the notes of it, in pieces with what they cost
stages        what a stage of calls leaves, and what is asked for again
join          summaries of parts put together as one
prompts       material to chat messages; the texts are files in prompts/
asks          what the model is asked for in one call
pull          pull mode: what the worker is sent, and what it reports
troubles      why an attempt brought no text, in words of ours
worker_errors  what a worker's error means, by its words
redeem        pull mode: a receipt turned into the summary that it tells of
choices       what the uploader of one file chose for its summary
facts         what is told of a summary: its object's metadata, and the facts beside it
refusals      what becomes of a job that S3 refuses to let end
decide        what one report means for its call as it is now
settle        one call's result moves the call and its job on; receiver and sweeper share it
forbidden     a refusal of S3 or KMS, as a reason that names the missing grant
errors        the error tree: one class for each different reaction
ports         what the use cases ask of the world, as protocols
settings    * the one reader of the environment
store       * jobs in DynamoDB
items       * jobs and calls as items of its table
objects     * one bucket's objects, written on a condition
files       * transcripts and summaries in S3
work_files  * old notes deleted from a bucket that has no rule for it
links       * presigned URLs, for pull mode's worker
queue       * messages to the submitter in SQS
secrets     * the API key and callback secrets in Secrets Manager
runpod      * the RunPod endpoint over HTTP
counted       a store that tells what each write moved
telemetry   * the logger and the metrics
wiring      * builds the adapters that the functions share
"""
