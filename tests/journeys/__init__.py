"""End to end: commands as a person types them, real processes, real sockets."""
