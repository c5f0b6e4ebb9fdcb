"""The servers that the stores are tried against."""

from store_servers import azure_store, azurite_endpoint, bucket, gcs_store, make_s3, s3_endpoint

__all__ = ["azure_store", "azurite_endpoint", "bucket", "gcs_store", "make_s3", "s3_endpoint"]
