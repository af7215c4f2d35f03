"""report.html: the one self-contained page of a run, and what the web pages take from it."""
