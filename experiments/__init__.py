"""The claims of this project, each shown by a run of the real thing: `make prove [ONLY=name,name]`."""
