"""The browsers that Playwright cannot drive, driven by their own protocols."""
