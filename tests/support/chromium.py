"""Where the browser is that pages are opened in."""

from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
"""Debian's package; Playwright's own browsers are not needed."""
