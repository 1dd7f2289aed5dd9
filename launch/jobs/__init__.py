"""Jobs that are sent once, followed, stopped and fetched."""
