"""How a summary is planned, asked for, checked and put together. Pure.

options        what is asked for with one upload
models         the model profiles: what each takes, and the endpoint settings it needs
tokens         how many tokens a text may cost

The engine, from the outside in; a module imports those below it and few beside it:

engine         what to ask a model next, or the end: the one interface for all who drive it
noting         notes to take of a transcript that does not fit a request
single         the whole summary in one answer
finishing      the document and its facts, from the finished parts
overview       the overview's call, and one by code
stage          where a job stands: what came, what is planned, and what all of these do with both
writing        sections and ledger: what is asked first, what again, what is gone on with
planning       which calls make a summary, and how much each may read and write
notes          levels of notes, and what each is made of
reporting      checks and cost, as facts tell them
judging        what an answer is worth, and what stands after several
asking         the asks themselves, kind by kind
progress       what the rounds came to, the room of a request, the budget
rounds, facts  what the engine says, and what is known of a summary; with their JSON
goals          what a summary is to be, and the limits of a job
asks           one call: what it is asked, and what it answered
messages       the chat request of one ask
instructions   the prompts; the texts are files in prompts/
schemas        the JSON schemas of structured answers

What they do it with:

passages       the transcript, numbered
outline        a model's outline, made sound; cohesion: one by code; shares: words for each topic
sections       paragraphs and the turns they cite; sources: where none are cited; trimming
ledger         decisions, actions, questions and quotes of one call; registers: of all, each once
document       the parts put together
quotes         where a quote stands, and how it was said; spoken: what is evened out for that
quoted         quotations in running text
checks         refusals, loops, and whatever else is wrong with an answer; languages: another one
glossary       the right names
cleaning       a model's answer without what stands around it
lenient_json   the JSON object in an answer, whatever stands around it

What the engine replaces, for as long as jobs are made by it:

plans          what a job's calls read and write, stage by stage, and how a length is repaired
stages         what a stage of calls leaves, and what is asked for again
levels         a transcript, or the notes of it, in chunks with what they cost
chunks         a long text cut at turns and sentences, and partitioned
prompts        the chat messages of one call
chat           the chat request of one call
join           summaries of parts put together as one
"""
