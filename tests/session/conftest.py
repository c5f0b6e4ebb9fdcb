"""The servers that sessions are given stores on."""

from faulty_s3 import faults, proxied
from store_servers import bucket, make_s3, s3_endpoint, s3_uri

__all__ = ["bucket", "faults", "make_s3", "proxied", "s3_endpoint", "s3_uri"]
