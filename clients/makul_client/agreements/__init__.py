"""What the authorised body reads and signs: drafts of agreements, and notices (cl. 4, 7)."""
