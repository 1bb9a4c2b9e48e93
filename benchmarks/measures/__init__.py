"""What `make bench` measures: each module has `figures()`, which returns its part of the table."""
