"""Cases of the supervising bodies: what the answers say, and the evidence file (cl. 12)."""
