"""The only writers of keys, credentials and status lists."""

from incubator.credentials.services.issuing import issue_credential, issue_credentials, reissue_credential
from incubator.credentials.services.keys import distrust_signing_key, rotate_signing_key
from incubator.credentials.services.status_lists import Published, publish_status_list

__all__ = [
    "Published",
    "distrust_signing_key",
    "issue_credential",
    "issue_credentials",
    "publish_status_list",
    "reissue_credential",
    "rotate_signing_key",
]
