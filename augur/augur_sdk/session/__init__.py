"""The two session classes, and what lies behind both."""
