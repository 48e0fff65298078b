"""The operations of the oversight port, one module each (Procedure, cl. 11 and 12)."""
