"""Tools for developers: the debugger, error pages and the inspector."""
