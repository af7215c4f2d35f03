"""Speed and memory, side by side with named peers in one run: `make bench [ONLY=name,name]`."""
