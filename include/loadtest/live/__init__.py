"""What a load shows while it runs, read from its bundle as the parts close. Judges nothing."""
