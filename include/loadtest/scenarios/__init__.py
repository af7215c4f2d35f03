"""What users do: which scenario comes next, what they type, and whether the target's answer is right. Pure."""
