"""Who is let in: by the room that there is, and the time until the deadline."""
