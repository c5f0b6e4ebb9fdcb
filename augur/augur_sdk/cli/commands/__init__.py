"""One module a command: its name is the command's, its function `command` what the command does.

A module with a `group` instead holds several commands below its name. A new file here is a new
command. Underscores in the name become dashes; a trailing one, for names that are Python's own
words, is dropped. Modules are imported whenever the command line starts, so they import what they
need inside `command`.
"""
