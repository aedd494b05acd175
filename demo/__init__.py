"""The whole path on one machine, by the commands that a user has."""
