"""The inspector: the last requests of a development server, with what each one did, to look at and to send again."""
