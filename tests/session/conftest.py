"""The servers that sessions are given stores on."""

from store_servers import bucket, make_s3, s3_endpoint, s3_uri

__all__ = ["bucket", "make_s3", "s3_endpoint", "s3_uri"]
