"""The change test over recorded histories, without load: a threshold is tried on the past before it is in force."""
