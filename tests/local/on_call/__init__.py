"""The situations of docs/operating.md, planted on the local stack, and who types what it says."""
