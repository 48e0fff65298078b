"""The catalogs of the operator's messages and help, and the translation by them."""
