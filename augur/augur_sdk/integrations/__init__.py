"""Live hooks into the frameworks that people already use, one module a framework.

Each module has `record(target, session, ...)`, which returns the target. A hook never changes what
the framework does: what goes wrong inside it is logged once a hook and the run goes on.
"""
