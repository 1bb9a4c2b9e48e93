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
rounds         what the engine says, with its JSON
facts          what is known of a summary, with its JSON
goals          what a summary is to be, and the limits of a job
asks           one call: what it is asked, and what it answered
messages       the chat request of one ask
instructions   the prompts; the texts are files in prompts/
schemas        the JSON schemas of structured answers

What they do it with:

passages       the transcript, numbered
outline        a model's outline, made sound
cohesion       an outline by code
shares         the words of each topic
partition      neighbours in runs of about the same weight
sections       paragraphs and the turns they cite
sources        the turns of paragraphs that cite none
trimming       sections that are too long together, shorter
ledger         decisions, actions, questions and quotes of one call
registers      those of all calls, each once
document       the parts put together
quotes         where a quote stands, and how it was said
spoken         what is evened out before words are compared
quoted         quotations in running text
checks         refusals, loops, and whatever else is wrong with an answer
languages      whether a text is in the transcript's language
glossary       the right names
cleaning       a model's answer without what stands around it
lenient_json   the JSON object in an answer, whatever stands around it
"""
