"""What to ask a model next, so that a summary comes of it; or the summary. Pure.

    notes             only where a transcript does not fit the context: of ranges, with their turns' numbers
    outline           one call: title, headings, topics with the turns each is about
    sections, ledger  at once: paragraphs of each topic; decisions, action items, questions and quotes
    overview          one call, from what was written
    checks, assembly  code

    next_round(passages, goal, limits, history) -> Round | Finished | GivenUp

The engine knows no AWS, no RunPod and no clock. Its drivers are the pipeline (a call is a RunPod request),
the worker of pull mode (the model is beside it), and tests and benchmarks. Each does the same:

    passages = numbered(goal.glossary.applied_to_turns(transcript.turns))   stored once for each job
    goal = goal_of(options, passages.words, boundary=job id, glossary=...)
    limits = WritingLimits(context_tokens=..., max_tokens=..., reliable_words=...)
    history = []
    while isinstance(step := next_round(passages, goal, limits, history), Round):
        store step.as_document()                                            before its calls are recorded
        answers = {ask.name: answer of chat_request(ask, passages, options) for ask in step.asks}
        history.append(PastRound(round=step, answers=answers))

An answer is `answer_of(text, ...)` of what the model wrote, or `Answer(failure=code)` where there is none;
a prompt refused as too long is `Answer(failure=CONTEXT_LENGTH)`. All answers of a round must be there. The
same history gives the same step; an ask that has a sound answer is not made again, and the names of asks
never repeat. `Finished` has the Markdown text and its facts, `GivenUp` a code and what a person should do.
"""
