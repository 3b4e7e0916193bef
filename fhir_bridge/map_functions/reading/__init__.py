"""What several functions read in the texts of senders: timestamps, limits, units, check characters."""
