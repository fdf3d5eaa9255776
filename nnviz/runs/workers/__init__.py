"""Worker processes, the pool that gives them runs, and their fair turns."""
