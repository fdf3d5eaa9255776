"""The command line: jobs in, runs out. Torch is imported only by what trains."""
