"""Whether the product got slower: a run against runs of the same conditions, told apart from noise. Pure arithmetic."""
