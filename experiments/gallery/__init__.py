"""Pictures of every message, issue and comment of the product, made of real runs: docs/messages.md."""
