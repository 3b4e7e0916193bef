"""What the page of one resident shows: who, contracts, teams, visits, results, sources."""
