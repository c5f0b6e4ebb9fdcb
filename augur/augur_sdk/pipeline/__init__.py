"""From entries to the journal, the bundle and the server: one task a file, all on the portal."""
