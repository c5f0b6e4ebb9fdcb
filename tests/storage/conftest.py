"""The servers that the stores are tried against."""

from faulty_s3 import faults, proxied
from store_servers import azure_store, azurite_endpoint, bucket, gcs_store, make_s3, s3_endpoint

__all__ = [
    "azure_store",
    "azurite_endpoint",
    "bucket",
    "faults",
    "gcs_store",
    "make_s3",
    "proxied",
    "s3_endpoint",
]
