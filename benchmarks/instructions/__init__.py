"""Instructions per request, counted by callgrind: unlike times, they stay the same on a busy machine.

`scenarios.py` has the requests, and a file for each framework has its application. `child.py` calls an application
under valgrind, `callgrind.py` starts it and reads the figures, `command.py` is ``python -m benchmarks instructions``.
"""
