"""From a call to entries: checked, snapshotted, merged. Pure; no I/O of any kind."""
