"""The call gateway: every model call goes through it."""
