"""pipec's runner: it calls one function of the user and does nothing else.

It loads the inputs by their types, passes them as parameters by name, stores the results by their types, and writes a
report of what an exit code can't express. It is not a library: the user's code does not import it, and it is not in
sys.path. It requires Python 3.8 and its standard library. It imports numpy, pandas and other packages only for types that
need them, and after the user's module, which may have to configure them first.
"""
