"""Pictures: what their headers say, their hashes, where two of them differ, and masking.

Nothing here imports Pillow before a picture has to be decoded.
"""
