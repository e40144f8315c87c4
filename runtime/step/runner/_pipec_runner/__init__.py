"""pipec's runner: it calls one function of the user's and does nothing else.

It loads the inputs by their types, gives them as parameters by name, stores the results by their types, and says in a
report what an exit code can't. It is no library: the user's code imports nothing of it, and finds nothing of it in
sys.path. It needs Python 3.8 and its standard library; numpy, pandas and the like are imported when a type asks for
them, and after the user's module, which may have things to set before.
"""
