"""The languages of messages and help, for the service and for the client.

It holds what both programs do in the same way. The messages of each program, and their catalogs,
are in the package of the program. This package needs typer, and nothing else of either program.
"""
