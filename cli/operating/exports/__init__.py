"""A summary as people pass it on.

parts         the summary's Markdown as headings, paragraphs, items and quotes, with the turns each rests on
transcript    the turns: as they were numbered for the model, or the upload read again
front_matter  Markdown with what is known of it at its head
page          one self-contained HTML page: the summary beside its transcript, linked both ways
word, pdf     the summary alone, with the turns it rests on
"""
