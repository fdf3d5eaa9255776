"""What a process has read of run files."""
