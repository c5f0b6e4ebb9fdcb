"""The bundle on disk: its paths, the journal it grows from, how it is finished and recovered."""
