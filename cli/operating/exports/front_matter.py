"""A summary as Markdown with front matter, as note-keeping programs and site generators read it. Pure."""

import yaml

from cli.operating.exports.about import About


def markdown(about: About) -> str:
    head = yaml.safe_dump(about.fields, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{head}---\n\n{about.text.strip()}\n"
