"""The operations of the recipient port that are acts, one module each (Procedure, cl. 11)."""
