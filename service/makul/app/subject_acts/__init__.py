"""Operations of the subject port: one module for each (Procedure, cl. 4 and 11)."""
