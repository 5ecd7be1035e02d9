"""The inspector: shows the last requests of a development server and what each did, and sends them again."""
