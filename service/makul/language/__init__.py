"""The languages of messages and help: the translation of a message, and the catalogs."""
