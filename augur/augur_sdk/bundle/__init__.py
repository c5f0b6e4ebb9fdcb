"""The bundle on disk: its paths, the journal it grows from, and how it is finished and recovered."""
