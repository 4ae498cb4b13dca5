"""Do the tests notice where the code is wrong? It is changed, and they are run."""
