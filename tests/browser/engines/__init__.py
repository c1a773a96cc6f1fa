"""The browsers that Playwright does not drive, each with nothing but its protocol."""
