"""The month of a recipient: the operator's statement, read, verified and compared (cl. 11)."""
