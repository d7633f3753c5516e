"""Readers of folders, and refinements of what was read, that no pattern of paths can say."""
