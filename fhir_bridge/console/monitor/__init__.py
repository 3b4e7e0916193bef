"""What operators see: feeds, quarantine, reviews, what no map reads, the load of doctors."""
